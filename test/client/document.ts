/** The operations of the committed OpenAPI document, as far as callers of them are tested by it. */
import { readFileSync } from 'node:fs'

export interface Operation {
  readonly operationId: string
  /** Upper case. */
  readonly method: string
  /** With `{…}` for its parameters. */
  readonly path: string
  /** Of its path, in order. */
  readonly params: readonly string[]
  /** Names of what may stand in its query. */
  readonly query: readonly string[]
  /** Conditions that it takes as headers, in lower case; not one that names no version, as where there is none. */
  readonly conditions: readonly string[]
  /** The body that the document shows; undefined where it takes none. */
  readonly body: unknown
  /** The first success that the document shows. */
  readonly answer: { readonly status: number; readonly body: unknown }
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly example?: unknown }>>
}

interface Parameter {
  readonly in?: string
  readonly name?: string
  readonly schema?: { readonly pattern?: string }
}

interface Described {
  readonly operationId: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: Content
  readonly responses: Readonly<Record<string, Content>>
}

const JSON_TYPE = 'application/json'

export function operations(): readonly Operation[] {
  const text = readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8')
  const { paths } = JSON.parse(text) as { paths: Readonly<Record<string, Readonly<Record<string, Described>>>> }
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => operationOf(method.toUpperCase(), path, described)),
  )
}

function operationOf(method: string, path: string, described: Described): Operation {
  const { operationId, parameters = [], requestBody, responses } = described
  const [status = '', success] = Object.entries(responses).find(([code]) => code.startsWith('2')) ?? []
  return {
    operationId,
    method,
    path,
    params: Array.from(path.matchAll(/\{(\w+)\}/g), ([, name = '']) => name),
    conditions: parameters.flatMap((one) => (isCondition(one) ? [one.name.toLowerCase()] : [])),
    query: parameters.flatMap((one) => (one.in === 'query' && one.name !== undefined ? [one.name] : [])),
    body: requestBody?.content?.[JSON_TYPE]?.example,
    answer: { status: Number(status), body: success?.content?.[JSON_TYPE]?.example },
  }
}

const isCondition = (one: Parameter): one is Parameter & { readonly name: string } =>
  one.in === 'header' &&
  (one.name === 'If-None-Match' || (one.name === 'If-Match' && one.schema?.pattern !== ANY_VERSION))

const ANY_VERSION = String.raw`^\*$`

/** Which operation a request is; undefined for none. */
export const operationAt = (
  all: readonly Operation[],
  asked: { readonly method: string; readonly path: string },
): Operation | undefined =>
  all.find(({ method, path }) => {
    const pattern = path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')
    return method === asked.method && new RegExp(`^${pattern}(\\?.*)?$`).test(asked.path)
  })
