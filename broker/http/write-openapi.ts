/**
 * Writes `openapi.json` of the repository, or with `--check` fails when what is there is not what the code says: the
 * document is committed so that a change of the contract shows in a review. Either way it names what the change breaks; and
 * once there has been a release, nothing that breaks is written unless the API's own major version says so.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { openApiDocument } from './openapi.ts'
import { breakingChanges, type Json, mayBreak } from './openapi-changes.ts'

const fileOf = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url))
const FILE = fileOf('openapi.json')
const say = (line: string): void => void process.stderr.write(`${line}\n`)

const wanted = `${JSON.stringify(openApiDocument(), null, 2)}\n`
const committed = existsSync(FILE) ? readFileSync(FILE, 'utf8') : wanted
const documents = { before: JSON.parse(committed) as Json, after: JSON.parse(wanted) as Json }
const { version } = JSON.parse(readFileSync(fileOf('package.json'), 'utf8')) as { readonly version: string } // npm asks for it

const broken = breakingChanges(documents.before, documents.after)
for (const sentence of broken) say(`breaking: ${sentence}`)
const isRefused = broken.length > 0 && !mayBreak(version, documents)
if (isRefused) say('this release may break nothing: keep what was, or raise the major of the version in openapi.ts')

if (process.argv.includes('--check')) {
  if (committed !== wanted) say('openapi.json is not what the code says: run `npm run openapi` and commit it')
  if (isRefused || committed !== wanted || !existsSync(FILE)) process.exitCode = 1
} else if (isRefused) {
  process.exitCode = 1
} else {
  writeFileSync(FILE, wanted)
}
