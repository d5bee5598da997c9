/**
 * What a query asks for: its selectors, `name{label="value"}`, and the labels that it groups by. Prometheus 2 has no way to
 * ask it for a query's parts, so they are found by reading it: names of metrics are told from functions by what follows.
 */

export interface Asked {
  /** Each as it can be handed to Prometheus by itself. */
  readonly selectors: readonly string[]
  /** In `by (…)`, `on (…)` and the like. */
  readonly labels: readonly string[]
}

const STRING = String.raw`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'`
const LABELS = new RegExp(String.raw`\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)`, 'g')
const SELECTOR = new RegExp(String.raw`([a-zA-Z_:][\w:]*)\s*(\{(?:${STRING}|[^{}"'])*\})?`, 'g')
const WORDS: ReadonlySet<string> = new Set(['and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan'])

export function askedBy(expr: string): Asked {
  const labels = [...expr.matchAll(LABELS)].flatMap(([, list = '']) => list.split(',').map((label) => label.trim()))
  const rest = expr.replaceAll(LABELS, ' ').replaceAll(/\[[^\]]*\]/g, ' ')
  const selectors = [...rest.matchAll(SELECTOR)].flatMap((match) => {
    const [all, name = ''] = match
    const isFunction = /^\s*\(/.test(rest.slice(match.index + all.length))
    const isNumber = /[\d.]$/.test(rest.slice(0, match.index)) // the e of 1e9
    return isFunction || isNumber || WORDS.has(name.toLowerCase()) ? [] : [all.trim()]
  })
  return { selectors: [...new Set(selectors)], labels: [...new Set(labels.filter((label) => label !== ''))] }
}

/** `name` of `name{…}`. */
export const nameOf = (selector: string): string => selector.split('{')[0]?.trim() ?? ''
