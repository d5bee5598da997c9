/** The file of `import`, JSON or YAML, and where in it something stands: a problem is told with its line. */
import { type Document, LineCounter, isNode, parseDocument } from 'yaml'
import { ImportRequest } from '../../../shared/fleet-import.ts'
import { type Io, UsageError } from '../io.ts'
import { textFrom } from './request-file.ts'

export interface FleetFile {
  readonly request: ImportRequest
  /** `fleet.yaml:12: /allocations/0/period: …`. @param pointer JSON pointer into the file */
  at(pointer: string, detail: string): string
}

/** @throws UsageError for a file that cannot be read, with a line for everything that is wrong in it */
export async function fleetFrom(path: string, io: Io): Promise<FleetFile> {
  const lines = new LineCounter()
  // JSON is YAML: one reader, and so one way to tell a line.
  const document = parseDocument(await textFrom(path, io), { lineCounter: lines, prettyErrors: false })
  const broken = document.errors.map((error) => `${path}:${lines.linePos(error.pos[0]).line}: ${error.message}`)
  if (broken.length > 0) throw new UsageError(`${io.t('the file cannot be read:')}\n${broken.join('\n')}`)
  const at = (pointer: string, detail: string): string =>
    `${path}:${lineOf(document, lines, pathOf(pointer))}: ${pointer === '' ? '' : `${pointer}: `}${detail}`
  const parsed = ImportRequest.safeParse(document.toJS())
  if (parsed.success) return { request: parsed.data, at }
  const wrong = parsed.error.issues.map(({ path: steps, message }) => at(pointerOf(steps), message))
  throw new UsageError(`${io.t('the file is not what can be imported:')}\n${wrong.join('\n')}`)
}

const pathOf = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))

const pointerOf = (steps: readonly PropertyKey[]): string =>
  steps.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

/** Of what stands there; where nothing does, of what it should stand in. */
function lineOf(document: Document, lines: LineCounter, path: readonly string[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line
  }
  return 1
}
