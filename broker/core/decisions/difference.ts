/** Where two pieces of JSON data differ. */
import { canonicalJson } from '../canonical-json.ts'

export interface Difference {
  /** JSON pointer. */
  readonly at: string
  /** Undefined: there is nothing. */
  readonly stored: unknown
  readonly derived: unknown
}

/** So many are enough to see what has happened. */
const MOST_SHOWN = 20

/** Empty exactly when both are the same JSON, whatever the order of members; at most twenty. */
export function differences(stored: unknown, derived: unknown): readonly Difference[] {
  const found: Difference[] = []
  collect(stored, derived, '', found)
  return found
}

function collect(stored: unknown, derived: unknown, at: string, found: Difference[]): void {
  if (found.length >= MOST_SHOWN || isSame(stored, derived)) return
  if (!isObject(stored) || !isObject(derived) || Array.isArray(stored) !== Array.isArray(derived)) {
    found.push({ at, stored, derived })
    return
  }
  const names = new Set([...Object.keys(stored), ...Object.keys(derived)])
  for (const name of names) collect(stored[name], derived[name], `${at}/${escaped(name)}`, found)
}

const isSame = (a: unknown, b: unknown): boolean =>
  (a === undefined) === (b === undefined) && canonicalJson(a) === canonicalJson(b)

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')
