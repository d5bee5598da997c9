/** Writes `docs/metrics.md`, or with `--check` fails when what is there is not what the definitions say. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { metricsPage } from './page.ts'

const FILE = fileURLToPath(new URL('../../docs/metrics.md', import.meta.url))

const wanted = metricsPage()

if (!process.argv.includes('--check')) {
  writeFileSync(FILE, wanted)
} else if (!existsSync(FILE) || readFileSync(FILE, 'utf8') !== wanted) {
  process.stderr.write('docs/metrics.md is not what the code says: run `npm run metrics:docs` and commit it\n')
  process.exitCode = 1
}
