/** Runs the benchmarks, all or those named (`npm run bench -- decision`), one after the other: they share the machine. */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { basename } from 'node:path'
import { ROOT } from './run-part.ts'

const SUFFIX = '.bench.ts'
const wanted = process.argv.slice(2)
const found = globSync(`test/bench/*${SUFFIX}`, { cwd: ROOT }).toSorted()
const unknown = wanted.filter((name) => !found.some((file) => basename(file, SUFFIX) === name))
for (const name of unknown) process.stderr.write(`there is no test/bench/${name}${SUFFIX}\n`)

const chosen = wanted.length === 0 ? found : found.filter((file) => wanted.includes(basename(file, SUFFIX)))
const failed = chosen.filter((file) => {
  process.stdout.write(`\n${basename(file, SUFFIX)}\n`)
  return spawnSync(process.execPath, [file], { cwd: ROOT, stdio: 'inherit' }).status !== 0
})
process.stdout.write(`\n${chosen.length - failed.length} of ${chosen.length} benchmarks ended well\n`)
process.exitCode = failed.length > 0 || unknown.length > 0 ? 1 : 0
