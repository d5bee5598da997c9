/** The OpenAPI document as its readers have it: its operations, and whether an answer is what it says. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import ajvFormats from 'ajv-formats'

export type Schema = Readonly<Record<string, unknown>>

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly schema: Schema
}

export interface Operation {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly scope: string
  readonly parameters: readonly Parameter[]
  readonly body: { readonly schema: Schema; readonly example: unknown } | null
  /** Why the answer is not what the document says of this operation; null when it is. */
  breach(answer: Answer): string | null
}

export interface Answer {
  readonly status: number
  /** Media type. */
  readonly type: string | null
  readonly text: string
}

export interface ApiDocument {
  readonly operations: readonly Operation[]
  /** The operation that is asked for; null for none. @param path without its query */
  operation(method: string, path: string): Operation | null
  /** What a `$ref` points to; anything else as it is. */
  resolve(schema: Schema): Schema
}

type Json = Readonly<Record<string, any>> // oxlint-disable-line typescript/no-explicit-any -- a document of any version, read as data

export function readDocument(document: Json): ApiDocument {
  const ajv = new Ajv2020({ strict: false, allErrors: false, validateFormats: true })
  ajvFormats.default(ajv)
  ajv.addSchema(document, 'api')
  const resolve = (schema: Schema): Schema => {
    const ref = schema['$ref']
    if (typeof ref !== 'string') return schema
    const found = ref
      .slice(2)
      .split('/')
      .reduce<Json | undefined>((at, name) => at?.[name] as Json | undefined, document)
    if (found === undefined) throw new Error(`the document has no ${ref}`)
    return resolve(found)
  }
  const operations = Object.entries(document['paths'] as Json).flatMap(([path, methods]) =>
    Object.entries(methods as Json).map(([method, described]) =>
      operationOf(described as Json, { path, method, ajv, resolve }),
    ),
  )
  const patterns = operations.map((one) => ({
    one,
    pattern: new RegExp(`^${one.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
  }))
  return {
    operations,
    operation: (method, path) =>
      patterns.find(({ one, pattern }) => one.method === method && pattern.test(path))?.one ?? null,
    resolve,
  }
}

interface Context {
  readonly path: string
  readonly method: string
  readonly ajv: Ajv2020
  readonly resolve: (schema: Schema) => Schema
}

function operationOf(described: Json, { path, method, ajv, resolve }: Context): Operation {
  const validators = new Map<string, ValidateFunction>()
  const validatorOf = (status: string, type: string): ValidateFunction => {
    const key = `${status} ${type}`
    const pointer = `api#/paths/${escaped(path)}/${method}/responses/${status}`
    const direct = (described['responses'] as Json)[status] as Json
    const at = typeof direct['$ref'] === 'string' ? `api${direct['$ref']}` : pointer
    const known = validators.get(key) ?? ajv.compile({ $ref: `${at}/content/${escaped(type)}/schema` })
    validators.set(key, known)
    return known
  }
  const content = described['requestBody']?.content?.['application/json'] as Json | undefined
  return {
    id: described['operationId'] as string,
    method: method.toUpperCase(),
    path,
    scope: (described['security'] as Json[])[0]?.['oauth2']?.[0] as string,
    parameters: ((described['parameters'] ?? []) as Schema[]).map((one) => {
      const { name, in: place, schema } = resolve(one) as unknown as Parameter
      return { name, in: place, schema }
    }),
    body:
      content === undefined
        ? null
        : {
            schema: content['schema'] as Schema,
            example: content['example'] as unknown,
          },
    breach({ status, type, text }) {
      const response = (described['responses'] as Json)[String(status)] as Json | undefined
      if (response === undefined) return `${status} is not among the answers of ${method} ${path}`
      const documented = resolve(response) as Json
      if (documented['content'] === undefined) return text === '' ? null : `${status} has no body in the document`
      const mediaType = (type ?? '').split(';', 1)[0] ?? ''
      if (documented['content'][mediaType] === undefined) return `${status} is not answered as ${mediaType}`
      if (!mediaType.endsWith('json')) return null
      const validate = validatorOf(String(status), mediaType)
      const body: unknown = JSON.parse(text)
      if (!validate(body)) return `${status}: ${ajv.errorsText(validate.errors)}`
      return mediaType === PROBLEM ? undeclared(documented['content'][PROBLEM]['examples'] as Json, body) : null
    },
  }
}

const PROBLEM = 'application/problem+json'

/** The codes of an operation are named by their examples. */
function undeclared(examples: Json, problem: unknown): string | null {
  const { code } = problem as { readonly code: string } // the schema asks for it
  return Object.hasOwn(examples, code) ? null : `${code} is not declared among its problems`
}

/** As one step of a JSON pointer inside a URI. */
const escaped = (name: string): string => encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))
