/** Debian's Prometheus tools, as this suite uses them. */
import { execFile } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../run-part.ts'

export const PROMETHEUS_FOLDER = join(ROOT, 'deploy', 'prometheus')

const WITHIN_MS = 240_000

/** @returns all that it said; @throws Error with that, unless its status is 0 */
export function runTool(program: string, args: readonly string[], stdin = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { timeout: WITHIN_MS, cwd: ROOT }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout + stderr)
      else reject(new Error(`${program} ${args.join(' ')}: ${error.message}\n${stdout}${stderr}`))
    })
    child.stdin?.end(stdin)
  })
}

export const ruleFiles = (): readonly string[] => globSync(join(PROMETHEUS_FOLDER, 'rules', '*.yml')).toSorted()

/** Unit tests of the rules, in promtool's own format. */
export const ruleTestFiles = (): readonly string[] =>
  globSync(join(ROOT, 'test', 'observability', 'rules', '*.yml')).toSorted()
