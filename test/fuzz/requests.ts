/** Requests made from the document: as it says, nearly so, and as nobody should. */
import * as fc from 'fast-check'
import type { ApiDocument, Operation, Parameter, Schema } from '../support/api-document.ts'

export interface FuzzRequest {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** As it goes over the wire. */
  readonly body: string | null
}

/** Texts that have broken something somewhere before. */
const HOSTILE = [
  '', ' ', '0', '-1', 'null', 'undefined', 'true', '[object Object]', '__proto__', 'constructor', '../../etc/passwd',
  "' or 1=1 --", '"; drop table allocations; --', '${7*7}', '{{7*7}}', '%00', '\u0000', '\ud800', '\u202e', '𝒜𝒾',
  '한국어', 'a'.repeat(5_000), '1e400', '-0', 'NaN', '9007199254740993', '0x10', '<script>alert(1)</script>', '\r\nX: y',
  '9999-12-31T23:59:59Z', '10000-01-01T00:00:00Z', '2026-02-30T00:00:00Z', '+275760-09-13T00:00:00.001Z',
] // biome-ignore format: one list
const hostileText = fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'binary', maxLength: 40 }))
const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  hostileText,
  fc.constantFrom(null, true, false, 0, -1, 1.5, 2 ** 53, -(2 ** 63), 1e308, [], {}, [[]], { __proto__: 1 }),
  fc.jsonValue({ maxDepth: 3 }),
)

/** Any value that the schema allows. `known` offers ids that exist, by a word in the member's name. */
export function valueOf(schema: Schema, document: ApiDocument, known: readonly string[]): fc.Arbitrary<unknown> {
  const { type, ...facts } = document.resolve(schema) as Schema & { readonly type?: unknown }
  if ('const' in facts) return fc.constant(facts['const'])
  if (Array.isArray(facts['enum'])) return fc.constantFrom(...(facts['enum'] as unknown[]))
  const choices = (facts['anyOf'] ?? facts['oneOf']) as readonly Schema[] | undefined
  if (choices !== undefined) return fc.oneof(...choices.map((one) => valueOf(one, document, known)))
  if (type === 'object') return objectOf(facts, document, known)
  if (type === 'array') {
    const items = valueOf((facts['items'] ?? {}) as Schema, document, known)
    return fc.array(items, { minLength: Number(facts['minItems'] ?? 0), maxLength: Number(facts['maxItems'] ?? 4) })
  }
  if (type === 'integer' || type === 'number') {
    const least = Number(facts['minimum'] ?? facts['exclusiveMinimum'] ?? -1e6)
    return fc.integer({ min: Math.ceil(least), max: Math.min(Number(facts['maximum'] ?? 1e6), least + 1e6) })
  }
  if (type === 'boolean') return fc.boolean()
  if (type === 'null') return fc.constant(null)
  return type === 'string' ? textOf(facts, known) : fc.jsonValue({ maxDepth: 2 })
}

function objectOf(facts: Schema, document: ApiDocument, known: readonly string[]): fc.Arbitrary<unknown> {
  const properties = (facts['properties'] ?? {}) as Readonly<Record<string, Schema>>
  const required = (facts['required'] ?? []) as string[]
  const members = Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, valueOf(schema, document, known)]),
  )
  return fc.record(members, { requiredKeys: required, noNullPrototype: true })
}

function textOf(facts: Schema, known: readonly string[]): fc.Arbitrary<string> {
  if (facts['format'] === 'date-time') {
    const around = { min: new Date('2026-01-01T00:00:00Z'), max: new Date('2029-12-31T00:00:00Z'), noInvalidDate: true }
    return fc.date(around).map((date) => date.toISOString())
  }
  const pattern = facts['pattern']
  const most = Number(facts['maxLength'] ?? 64)
  const made =
    typeof pattern === 'string'
      ? fc.stringMatching(new RegExp(pattern, 'u'), { maxLength: Math.min(most, 100) })
      : fc.string({ minLength: Number(facts['minLength'] ?? 0), maxLength: Math.min(most, 100) })
  const fitting = known.filter((id) => typeof pattern !== 'string' || new RegExp(pattern, 'u').test(id))
  return fitting.length === 0 ? made : fc.oneof(made, { arbitrary: fc.constantFrom(...fitting), weight: 3 })
}

export function requestOf(
  operation: Operation,
  document: ApiDocument,
  known: readonly string[],
): fc.Arbitrary<FuzzRequest> {
  const value = (schema: Schema) => valueOf(schema, document, known)
  const parameter = (one: Parameter) =>
    fc.oneof({ arbitrary: value(one.schema).map(String), weight: 4 }, { arbitrary: hostileText, weight: 1 })
  const inPath = operation.parameters.filter((one) => one.in === 'path')
  const optional = operation.parameters.filter((one) => one.in !== 'path')
  const parts = fc.record({
    path: fc.tuple(...inPath.map(parameter)),
    others: fc.tuple(...optional.map((one) => fc.option(parameter(one), { freq: 2 }))),
    stray: fc.option(fc.tuple(hostileText, hostileText), { freq: 8 }),
    body: bodyOf(operation, value),
  })
  return parts.map((made) => {
    const query = new URLSearchParams()
    const headers: Record<string, string> = {}
    optional.forEach((one, at) => {
      const text = made.others[at]
      if (text === null || text === undefined) return
      if (one.in === 'query') query.append(one.name, text.toWellFormed())
      else headers[one.name] = headerText(text)
    })
    if (made.stray !== null) query.append(made.stray[0].toWellFormed(), made.stray[1].toWellFormed())
    const path = inPath.reduce(
      (text, one, at) => text.replace(`{${one.name}}`, segmentOf(made.path[at] ?? '')),
      operation.path,
    )
    if (made.body !== null) headers['Content-Type'] = 'application/json'
    return {
      method: operation.method,
      path: `${path}${query.size > 0 ? `?${query.toString()}` : ''}`,
      headers,
      body: made.body,
    }
  })
}

/** Clients resolve dots and merge slashes before they send: such a path asks for something else. */
const segmentOf = (text: string): string =>
  ['', '.', '..'].includes(text) ? 'nothing' : encodeURIComponent(text.toWellFormed())

/** What no client library lets through: it would never reach the broker. */
const headerText = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, '?').trim()

function bodyOf(operation: Operation, value: (schema: Schema) => fc.Arbitrary<unknown>): fc.Arbitrary<string | null> {
  if (operation.body === null) return fc.constant(null)
  const { schema, example } = operation.body
  const good = fc.oneof(value(schema), fc.constant(example))
  const asText = (body: unknown): string => JSON.stringify(body) ?? 'null'
  return fc.oneof(
    { arbitrary: good.map(asText), weight: 5 },
    {
      arbitrary: fc.tuple(good, fc.nat(), hostileValue).map(([body, at, other]) => asText(bent(body, at, other))),
      weight: 4,
    },
    { arbitrary: hostileValue.map(asText), weight: 1 },
    { arbitrary: good.map(asText).chain(brokenText), weight: 2 },
  )
}

/** One member, anywhere, replaced, dropped or added. */
function bent(body: unknown, at: number, other: unknown): unknown {
  const places: { readonly owner: Record<string, unknown>; readonly name: string }[] = []
  const copy = structuredClone(body)
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    const owner = value as Record<string, unknown>
    for (const name of Object.keys(owner)) {
      places.push({ owner, name })
      walk(owner[name])
    }
  }
  walk(copy)
  const place = places[Math.floor(at / 3) % Math.max(1, places.length)]
  if (place === undefined) return other
  if (at % 3 === 0) place.owner[place.name] = other
  else if (at % 3 === 1) delete place.owner[place.name]
  else Object.defineProperty(place.owner, '__proto__', { value: other, enumerable: true, configurable: true })
  return copy
}

/** JSON as no serializer writes it. */
const brokenText = (text: string): fc.Arbitrary<string> =>
  fc.oneof(
    fc.nat({ max: text.length }).map((at) => text.slice(0, at)),
    fc.constant(text.replace('{', '{"name":"first","name":"second",')),
    fc.constant(text.replace('{', '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},')),
    fc.constant(text.replaceAll(/\b\d+\b/g, '1e400')),
    fc.integer({ min: 1, max: 20_000 }).map((depth) => `${'['.repeat(depth)}${']'.repeat(depth)}`),
    fc.integer({ min: 1, max: 5_000 }).map((depth) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`),
    fc.constant(`\ufeff${text}`),
    fc.constant(`${text},`),
    fc.string({ unit: 'binary', maxLength: 200 }),
  )
