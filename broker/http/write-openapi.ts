/**
 * Writes `openapi.json` of the repository, or with `--check` fails when what is there is not what the code says:
 * the document is committed so that a change of the contract shows in a review.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { openApiDocument } from './openapi.ts'

const FILE = fileURLToPath(new URL('../../openapi.json', import.meta.url))

const wanted = `${JSON.stringify(openApiDocument(), null, 2)}\n`

if (!process.argv.includes('--check')) {
  writeFileSync(FILE, wanted)
} else if (!existsSync(FILE) || readFileSync(FILE, 'utf8') !== wanted) {
  process.stderr.write('openapi.json is not what the code says: run `npm run openapi` and commit it\n')
  process.exitCode = 1
}
