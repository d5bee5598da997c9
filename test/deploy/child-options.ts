/** How the tests of `start-child.ts` start their fixture. */
import { join } from 'node:path'
import type { ChildOptions } from '../../deploy/start-child.ts'

export interface Fixture {
  readonly folder: string
  readonly port: number
  readonly env?: Readonly<Record<string, string>>
}

export const urlOf = (port: number): string => `http://127.0.0.1:${port}/`

export const fixtureOptions = ({ folder, port, env = {} }: Fixture): ChildOptions => ({
  name: 'fixture',
  program: new URL('child-fixture.ts', import.meta.url).href,
  env: { ...process.env, FIXTURE_PORT: String(port), ...env },
  logFile: join(folder, 'logs', 'fixture.log'),
  readyUrl: urlOf(port),
  readyWithinMs: 30_000,
  stopWithinMs: 20_000,
})
