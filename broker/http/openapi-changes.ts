/**
 * What a change of the OpenAPI document breaks for who already uses the API: what they send may be refused, or what they
 * read may be missing. What is only added breaks nobody. Where it cannot be decided, as between two patterns, it counts.
 */

/** A document or a part of it, of any version: read as data. */
export type Json = { readonly [name: string]: JsonValue }
type JsonValue = string | number | boolean | null | undefined | Json | readonly JsonValue[]

/** Which way a schema is used: callers write requests and read responses. */
type Way = 'request' | 'response'

interface Compared {
  readonly before: Json
  readonly after: Json
}

const isObject = (value: JsonValue): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const objectOf = (value: JsonValue): Json => (isObject(value) ? value : {})
const listOf = (value: JsonValue): readonly JsonValue[] => (Array.isArray(value) ? (value as readonly JsonValue[]) : [])
const textOf = (value: JsonValue): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))
const without = <T>(all: readonly T[], others: readonly T[]): T[] => all.filter((one) => !others.includes(one))

/** One sentence for each; empty where nothing breaks. */
export function breakingChanges(before: Json, after: Json): string[] {
  const documents = { before, after }
  return [...operationsOf(before)].flatMap(([name, old]) => {
    const now = operationsOf(after).get(name)
    if (now === undefined) return [`${name} is gone`]
    return operationChanges({ before: old, after: now }, documents).map((sentence) => `${name}: ${sentence}`)
  })
}

function operationsOf(document: Json): Map<string, Json> {
  return new Map(
    Object.entries(objectOf(document['paths'])).flatMap(([path, methods]) =>
      Object.entries(objectOf(methods)).map(
        ([method, one]) => [`${method.toUpperCase()} ${path}`, objectOf(one)] as const,
      ),
    ),
  )
}

function operationChanges({ before, after }: Compared, documents: Compared): string[] {
  const same = (member: string): boolean => JSON.stringify(before[member]) === JSON.stringify(after[member])
  return [
    ...(same('operationId')
      ? []
      : [`operationId ${textOf(before['operationId'])} is now ${textOf(after['operationId'])}`]),
    ...(same('security') ? [] : ['it needs another scope']),
    ...parameterChanges({ before, after }, documents),
    ...bodyChanges({ before, after }, documents),
    ...responseChanges({ before, after }, documents),
  ]
}

function parameterChanges({ before, after }: Compared, documents: Compared): string[] {
  const of = (operation: Json, document: Json): Map<string, Json> =>
    new Map(
      listOf(operation['parameters']).map((one) => {
        const parameter = resolved(objectOf(one), document)
        return [`${textOf(parameter['in'])} parameter ${textOf(parameter['name'])}`, parameter]
      }),
    )
  const [old, now] = [of(before, documents.before), of(after, documents.after)]
  const added = [...now].filter(([name, one]) => !old.has(name) && one['required'] === true)
  return [
    ...added.map(([name]) => `${name} is new, and required`),
    ...[...old].flatMap(([name, one]) => {
      const other = now.get(name)
      if (other === undefined) return [`${name} is gone`]
      const required = one['required'] !== true && other['required'] === true ? [`${name} is newly required`] : []
      const schemas = { before: objectOf(one['schema']), after: objectOf(other['schema']) }
      return [...required, ...schemaChanges(schemas, { documents, way: 'request', at: name })]
    }),
  ]
}

function bodyChanges({ before, after }: Compared, documents: Compared): string[] {
  const [old, now] = [objectOf(before['requestBody']), objectOf(after['requestBody'])]
  const required = old['required'] !== true && now['required'] === true ? ['the body is newly required'] : []
  return [...required, ...contentChanges({ before: old, after: now }, { documents, way: 'request', at: 'request' })]
}

function responseChanges({ before, after }: Compared, documents: Compared): string[] {
  const [old, now] = [objectOf(before['responses']), objectOf(after['responses'])]
  return Object.keys(old).flatMap((status) => {
    if (!status.startsWith('2')) return [] // which problems there are may change; that they are problems does not
    if (now[status] === undefined) return [`it answers ${status} no more`]
    const both = {
      before: resolved(objectOf(old[status]), documents.before),
      after: resolved(objectOf(now[status]), documents.after),
    }
    return contentChanges(both, { documents, way: 'response', at: status })
  })
}

interface Place {
  readonly documents: Compared
  readonly way: Way
  /** For whoever reads the sentence: `request/demand/nodes`. */
  readonly at: string
  /** References that are being compared further up: a schema may hold itself. */
  readonly within?: readonly string[]
}

function contentChanges({ before, after }: Compared, place: Place): string[] {
  const [old, now] = [objectOf(before['content']), objectOf(after['content'])]
  return Object.keys(old).flatMap((type) => {
    if (now[type] === undefined) return [`${place.at} as ${type} is gone`]
    const [was, is] = [objectOf(old[type]), objectOf(now[type])]
    return schemaChanges({ before: objectOf(was['schema']), after: objectOf(is['schema']) }, place)
  })
}

function schemaChanges(schemas: Compared, place: Place): string[] {
  const { documents, within = [] } = place
  const key = `${textOf(schemas.before['$ref'])} ${textOf(schemas.after['$ref'])}`
  if (schemas.before['$ref'] !== undefined && within.includes(key)) return []
  const before = resolved(schemas.before, documents.before)
  const after = resolved(schemas.after, documents.after)
  const inside: Place = { ...place, within: [...within, key] }
  const [old, now] = [branchesOf(before), branchesOf(after)]
  if (old.length === 1 && now.length === 1) return plainChanges({ before, after }, inside)
  // Whoever writes needs each form that there was; whoever reads knows no other than those.
  const [needed, offered] = place.way === 'request' ? [old, now] : [now, old]
  const fits = (one: Json, other: Json): boolean => {
    const pair = place.way === 'request' ? { before: one, after: other } : { before: other, after: one }
    return schemaChanges(pair, inside).length === 0
  }
  const lost = needed.filter((one) => !offered.some((other) => fits(one, other)))
  return lost.map(
    () => `${place.at} ${place.way === 'request' ? 'takes a form no more' : 'has a form that it had not'}`,
  )
}

function branchesOf(schema: Json): readonly Json[] {
  const branches = listOf(schema['anyOf'] ?? schema['oneOf']).map(objectOf)
  return branches.length === 0 ? [schema] : branches
}

function plainChanges({ before, after }: Compared, place: Place): string[] {
  return [
    ...valueChanges({ before, after }, place),
    ...(place.way === 'request' ? boundChanges({ before, after }, place.at) : []),
    ...memberChanges({ before, after }, place),
    ...['items', 'additionalProperties'].flatMap((name) =>
      isObject(before[name]) && isObject(after[name])
        ? schemaChanges(
            { before: objectOf(before[name]), after: objectOf(after[name]) },
            { ...place, at: `${place.at}/*` },
          )
        : [],
    ),
  ]
}

function valueChanges({ before, after }: Compared, { way, at }: Place): string[] {
  const typesOf = (schema: Json) => [schema['type']].flat().filter((type) => type !== undefined)
  const valuesOf = (schema: Json) => ('const' in schema ? [schema['const']] : schema['enum']) as JsonValue[] | undefined
  const [oldTypes, types] = [typesOf(before), typesOf(after)]
  const lost = way === 'request' ? without(oldTypes, types) : without(types, oldTypes)
  const changed = lost.length > 0 && oldTypes.length > 0 && types.length > 0 && !isWidened(oldTypes, types, way)
  const [old, now] = [valuesOf(before), valuesOf(after)]
  const gone = way === 'request' && now !== undefined ? (old === undefined ? ['others'] : without(old, now)) : []
  return [
    ...(changed ? [`${at} is ${types.map(textOf).join('|')}, no more ${oldTypes.map(textOf).join('|')}`] : []),
    ...(gone.length === 0 ? [] : [`${at} takes no more ${gone.map(textOf).join(', ')}`]),
  ]
}

/** An integer is a number: whoever sent integers still may, and whoever reads numbers still can. */
const isWidened = (before: readonly unknown[], after: readonly unknown[], way: Way): boolean => {
  const [narrow, wide] = way === 'request' ? [before, after] : [after, before]
  return narrow.every((type) => wide.includes(type) || (type === 'integer' && wide.includes('number')))
}

const LEAST = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties']
const MOST = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties']

function boundChanges({ before, after }: Compared, at: string): string[] {
  const narrowed = (name: string, sign: 1 | -1): boolean => {
    const [old, now] = [before[name], after[name]]
    if (typeof now !== 'number') return false
    return typeof old !== 'number' || sign * now > sign * old
  }
  const bounds = [...LEAST.filter((name) => narrowed(name, 1)), ...MOST.filter((name) => narrowed(name, -1))]
  const pattern = after['pattern'] !== undefined && after['pattern'] !== before['pattern'] ? ['pattern'] : []
  return [...bounds, ...pattern].map((name) => `${at} has another ${name}: ${textOf(after[name])}`)
}

function memberChanges({ before, after }: Compared, place: Place): string[] {
  const [old, now] = [objectOf(before['properties']), objectOf(after['properties'])]
  const [oldRequired, required] = [listOf(before['required']), listOf(after['required'])]
  const newly = place.way === 'request' ? without(required, oldRequired) : []
  const noMore = place.way === 'response' ? without(oldRequired, required).filter((name) => textOf(name) in now) : []
  return [
    ...newly.map((name) => `${place.at}/${textOf(name)} is newly required`),
    ...noMore.map((name) => `${place.at}/${textOf(name)} is not always there any more`),
    ...Object.keys(old).flatMap((name) => {
      const at = `${place.at}/${name}`
      if (now[name] === undefined) return [`${at} is gone`]
      return schemaChanges({ before: objectOf(old[name]), after: objectOf(now[name]) }, { ...place, at })
    }),
  ]
}

/** What a `$ref` points to; anything else as it is. */
function resolved(part: Json, document: Json): Json {
  const ref = part['$ref']
  if (typeof ref !== 'string') return part
  const found = ref
    .slice('#/'.length)
    .split('/')
    .reduce<JsonValue>((at, name) => objectOf(at)[name], document)
  return resolved(objectOf(found), document)
}

/** @param release of the package: up to 0.1.0 nobody has been promised anything */
export function mayBreak(release: string, { before, after }: Compared): boolean {
  const majorOf = (document: Json): number => Number(textOf(objectOf(document['info'])['version']).split('.')[0])
  const isFirst = release.localeCompare('0.1.0', 'en', { numeric: true }) <= 0
  return isFirst || majorOf(after) > majorOf(before)
}
