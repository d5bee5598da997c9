/**
 * Holding back deletions everywhere: a store that was restored knows less than the operators have, so that what looks
 * ended or unwanted may be neither. A restore begins with it, and it lasts until a person has looked at the findings.
 */
import type { HeldDeletes } from '../../shared/reconciliation.ts'
import { Refusal } from '../../shared/refusal.ts'
import type { App } from './app.ts'
import type { Answer, Command } from './command.ts'

/** Twice is as good as once. */
export function holdDeletes(app: App, command: Command, held: boolean): Promise<Answer<HeldDeletes>> {
  return app.writer.answer(command, {
    needs: {},
    decide(draft) {
      const { organizationId, providerId } = command.caller
      if (organizationId !== null || providerId !== null) {
        throw new Refusal('not-found', 'Deletions are held at all operators at once, and these are not all yours.')
      }
      draft.holdDeletes(held)
      return { body: { deletesHeld: held }, etag: null }
    },
  })
}
