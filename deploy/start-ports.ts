/** Whether the ports that a start needs are free, told before anything is started: three children failing at once is no answer. */
import { createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

export interface WantedPort {
  readonly port: number
  readonly host: string
  /** What will listen there, and which variable moves it. */
  readonly what: string
  readonly variable: string
}

const LOOK_AGAIN_MS = 200

/**
 * Those that are still taken after `patienceMs`: what was stopped a moment ago may still be giving its ports back.
 *
 * @returns one line each, empty when all are free
 */
export async function portsTaken(wanted: readonly WantedPort[], patienceMs: number): Promise<readonly string[]> {
  const giveUpAt = Date.now() + patienceMs
  while (true) {
    const taken: WantedPort[] = []
    for (const one of wanted) if (!(await isFree(one))) taken.push(one)
    if (taken.length === 0 || Date.now() >= giveUpAt) return taken.map(lineOf)
    await pause(LOOK_AGAIN_MS)
  }
}

const lineOf = ({ host, port, what, variable }: WantedPort): string =>
  `${host}:${port} is taken, where ${what} would listen: stop what listens there now, or set ${variable}.`

function isFree({ host, port }: WantedPort): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const server = createServer()
  server.once('error', () => resolve(false))
  server.listen(port, host, () => server.close(() => resolve(true)))
  return promise
}
