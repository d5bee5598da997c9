/**
 * How much a replica logs, changed while it runs. It is the level of the one replica that is asked, and no longer than it
 * runs: whoever looks for something at one of them does not fill the logs of all, and a start takes it back.
 */
import type { LogLevel } from '../../shared/operation.ts'
import { Refusal } from '../../shared/refusal.ts'
import type { App } from './app.ts'
import type { Answer, Command } from './command.ts'

/** The change is in the audit trail before `setLevel` is called. */
export async function setLogLevel(
  app: App,
  command: Command,
  { level, setLevel }: LogLevel & { readonly setLevel: (level: LogLevel['level']) => void },
): Promise<Answer<LogLevel>> {
  const answer = await app.writer.answer(command, {
    needs: {},
    decide() {
      const { organizationId, providerId } = command.caller
      if (organizationId !== null || providerId !== null) {
        throw new Refusal('insufficient-scope', 'The log is changed only by a caller who is bound to nobody.')
      }
      return { body: { level }, etag: null }
    },
  })
  setLevel(level)
  return answer
}
