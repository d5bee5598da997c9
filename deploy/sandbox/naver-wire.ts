/** How answers look: XML unless JSON was asked for, one wrapper per success, two shapes of error, dates with +0900. */
import { randomUUID } from 'node:crypto'
import { CODE } from './naver-errors.ts'
import type { GatewayRefusal, ServiceRefusal } from './naver-errors.ts'

export type WireValue = string | number | boolean | WireRecord | readonly WireValue[]
export interface WireRecord {
  readonly [key: string]: WireValue
}

export type Format = 'json' | 'xml'

interface WireAnswer {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: string
}

/** `{code, codeName}`, as every enumeration of this API is given. */
export const code = (value: string, codeName = value): WireRecord => ({ code: value, codeName })

const KST_OFFSET_MS = 9 * 3_600_000

/** `2026-11-23T15:05:07+0900`: Korean time, whole seconds, and no colon in the offset. */
export const wireDate = (atMs: number): string => `${new Date(atMs + KST_OFFSET_MS).toISOString().slice(0, 19)}+0900`

export function success(action: string, body: WireRecord, format: Format): WireAnswer {
  const head = { requestId: randomUUID(), returnCode: '0', returnMessage: 'success' }
  return answer(200, { [`${action}Response`]: { ...head, ...body } }, format)
}

export const serviceError = (refusal: ServiceRefusal, format: Format): WireAnswer =>
  answer(400, { responseError: { returnCode: CODE[refusal.code], returnMessage: refusal.message } }, format)

export const gatewayError = (refusal: GatewayRefusal, details: string, format: Format): WireAnswer =>
  answer(refusal.status, { error: { errorCode: refusal.errorCode, message: refusal.message, details } }, format)

function answer(status: number, root: WireRecord, format: Format): WireAnswer {
  if (format === 'json') {
    // Errors come pretty-printed: a client that looks for `{"responseError"` in the text finds nothing.
    const body = JSON.stringify(root, null, status === 200 ? undefined : 2)
    return { status, headers: { 'content-type': 'application/json;charset=UTF-8' }, body }
  }
  const body = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>${toXml(root)}`
  return { status, headers: { 'content-type': 'application/xml;charset=UTF-8' }, body }
}

/** Members of `fooList` are elements `foo`. */
export const toXml = (record: WireRecord): string =>
  Object.entries(record)
    .map(([name, value]) => `<${name}>${content(name, value)}</${name}>`)
    .join('')

function content(name: string, value: WireValue): string {
  if (Array.isArray(value)) {
    const item = name.endsWith('List') ? name.slice(0, -'List'.length) : 'item'
    return value.map((entry: WireValue) => `<${item}>${content(item, entry)}</${item}>`).join('')
  }
  return typeof value === 'object' ? toXml(value as WireRecord) : escapeXml(String(value)) // arrays were taken above
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}

const escapeXml = (text: string): string => text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign)
