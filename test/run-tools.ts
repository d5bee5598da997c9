/** Tools that npm does not install, such as a browser or Prometheus: a part that needs one says so in run-parts.ts. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { NO_COUNTS, type Outcome } from './run-report.ts'

/** @param path folders as `PATH` lists them */
export const isInstalled = (tool: string, path: string): boolean =>
  path.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK)
      return true
    } catch {
      return false
    }
  })

/** A part that cannot run is skipped at a developer's desk; in CI, where all must run, it has failed. */
export function withoutTools(name: string, missing: readonly string[], inCi: boolean): Outcome {
  const problem = `needs ${missing.join(', ')}`
  return { ...NO_COUNTS, name, durationMs: 0, problem, output: '', ...(inCi ? { failed: 1 } : { skipped: 1 }) }
}
