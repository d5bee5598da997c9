/**
 * Reads a request's JSON body with our own limits and answers, and says no to what would only cause trouble further on:
 * depth that would overflow a stack, `__proto__`, texts that PostgreSQL cannot hold, U+0000 among them; and two
 * members of one name.
 */
import type { IncomingMessage } from 'node:http'
import { Refusal, invalidRequest } from '../../shared/refusal.ts'
import { membersWritten, repeatedMember } from './repeated-member.ts'
import { jsonPointer } from './validation.ts'

const MAX_BODY_BYTES = 256 * 1024
const MAX_DEPTH = 32

/**
 * The parsed body; undefined for none.
 *
 * @throws Refusal `unsupported-media-type`, `payload-too-large`, `invalid-request`
 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const announcedBytes = Number(request.headers['content-length'] ?? 0)
  const chunked = request.headers['transfer-encoding'] !== undefined
  if (announcedBytes === 0 && !chunked) return undefined
  // An empty chunked body needs no type, so only what is announced is judged before it is read.
  if (announcedBytes > 0 || request.headers['content-type'] !== undefined) checkMediaType(request)
  if (announcedBytes > MAX_BODY_BYTES) throw tooLarge()
  const bytes = await readBytes(request)
  if (bytes.length === 0) return undefined
  checkMediaType(request)
  return parseJson(bytes)
}

function checkMediaType({ headers }: IncomingMessage): void {
  const [type = '', ...parameters] = (headers['content-type'] ?? '').toLowerCase().split(';')
  if (type.trim() !== 'application/json') throw wrongType('The body must be application/json.')
  for (const parameter of parameters) {
    const [name = '', value = ''] = parameter.split('=')
    if (name.trim() === 'charset' && !/^"?utf-?8"?$/.test(value.trim())) throw wrongType('The charset must be UTF-8.')
  }
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding.trim().toLowerCase() !== 'identity') throw wrongType('The body must not be compressed.')
}

const wrongType = (detail: string): Refusal => new Refusal('unsupported-media-type', detail)

const tooLarge = (): Refusal =>
  new Refusal('payload-too-large', `The body must be at most ${MAX_BODY_BYTES} bytes.`, { maxBytes: MAX_BODY_BYTES })

function readBytes(request: IncomingMessage): Promise<Buffer> {
  // Gone while the token was looked at: no event would come any more.
  if (request.destroyed) return Promise.reject(invalidBody('was cut off'))
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const end = (): void => {
      request.off('data', take).off('end', done).off('error', cut).off('close', cut)
    }
    const take = (chunk: Buffer): void => {
      size += chunk.length
      if (size > MAX_BODY_BYTES) {
        end()
        // The rest is read and dropped, bounded by the server's requestTimeout: a caller whose socket is closed under
        // his upload would never see the answer.
        request.resume()
        reject(tooLarge())
        return
      }
      chunks.push(chunk)
    }
    const done = (): void => {
      end()
      resolve(Buffer.concat(chunks, size))
    }
    const cut = (): void => {
      end()
      reject(invalidBody('was cut off'))
    }
    request.on('data', take).on('end', done).on('error', cut).on('close', cut)
  })
}

const invalidBody = (detail: string, pointer = ''): Refusal => invalidRequest([{ pointer, detail }])

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** @throws Refusal `invalid-request` */
function parseJson(bytes: Uint8Array): unknown {
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    throw invalidBody('must be UTF-8')
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw invalidBody(`must be JSON${placeOf(error)}`)
  }
  if (checkValue(value) !== membersWritten(text)) {
    throw invalidBody('must be given only once', jsonPointer(repeatedMember(text) ?? []))
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidBody('must be an object')
  return value
}

/** Only the place: the parser's message repeats the body. */
function placeOf(error: unknown): string {
  const match = error instanceof Error ? /at position (\d+)/.exec(error.message) : null
  return match === null ? '' : `: broken at character ${match[1]}`
}

function checkText(text: string, path: readonly string[]): void {
  if (!text.isWellFormed()) throw invalidBody('must not contain half of a surrogate pair', jsonPointer(path))
  if (text.includes('\0')) throw invalidBody('must not contain U+0000', jsonPointer(path))
}

/** @returns how many members there are, at all levels */
function checkValue(root: unknown): number {
  let members = 0
  const pending: { readonly value: unknown; readonly path: readonly string[] }[] = [{ value: root, path: [] }]
  for (let item = pending.pop(); item !== undefined; item = pending.pop()) {
    const { value, path } = item
    if (typeof value === 'string') checkText(value, path)
    if (typeof value !== 'object' || value === null) continue
    if (path.length >= MAX_DEPTH) throw invalidBody(`must not be nested deeper than ${MAX_DEPTH} levels`)
    for (const [name, member] of Object.entries(value)) {
      const memberPath = [...path, name]
      if (!Array.isArray(value)) members += 1
      if (name === '__proto__') throw invalidBody('is not a member that is known here', jsonPointer(memberPath))
      if (!name.isWellFormed()) throw invalidBody('has a member whose name is not a text', jsonPointer(path))
      pending.push({ value: member, path: memberPath })
    }
  }
  return members
}
