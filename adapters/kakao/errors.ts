/**
 * Which of our nine kinds an error answer of Kakao's is. Its codes are unpublished, so the HTTP status decides, and the
 * words only where the page of errors says that one status may mean several things. The words are configuration.
 */
import { z } from 'zod'
import { type HttpAnswer, retryAfterMs } from '../http.ts'
import { ProviderError, type ProviderErrorKind } from '../../shared/provider-error.ts'
import type { EpochMs } from '../../shared/time.ts'
import type { KakaoSettings } from './config.ts'

export interface Words {
  readonly code: string | null
  readonly message: string | null
}

/** What was asked: a create's 404 is a missing image or subnet, and its 409 may mean no room. */
export interface Asked {
  readonly what: string
  readonly changes: boolean
  readonly creates?: boolean
}

export type MatchWords = (text: string) => 'quota-exceeded' | 'out-of-capacity' | null

/** Statuses that may carry the operator's refusal for quota or want of room. */
const REFUSALS = new Set([400, 403, 409, 413, 422, 429])

const BY_STATUS: Readonly<Record<number, ProviderErrorKind>> = {
  401: 'unauthenticated',
  403: 'unauthenticated', // the key's role lacks a right: no request of this kind will do, and somebody must act
  404: 'not-found',
  408: 'unreachable',
  409: 'busy',
  429: 'throttled',
}

/** How soon a 409 is worth another try: the official client polls every 2 to 3 s. */
const BUSY_RETRY_MS = 2_000

const matching =
  (patterns: readonly string[]) =>
  (text: string): boolean =>
    patterns.some((pattern) => new RegExp(pattern, 'i').test(text))

export function matchWords({ quota, outOfCapacity }: KakaoSettings['errorWords']): MatchWords {
  const saysQuota = matching(quota)
  const saysCapacity = matching(outOfCapacity)
  return (text) => {
    if (saysQuota(text)) return 'quota-exceeded'
    return saysCapacity(text) ? 'out-of-capacity' : null
  }
}

const Code = z.union([z.string(), z.number()])
const Named = z.object({
  code: Code.nullable().catch(null).default(null),
  title: z.string().nullable().catch(null).default(null),
  message: z.string(),
})
const Validation = z.object({ detail: z.array(z.object({ loc: z.array(Code).default([]), msg: z.string() })) })
const Detail = z.object({ detail: z.string() })

/** Reads `{error: {code, message}}` (Kakao, Keystone), `{<name>: {code, message}}` (Nova) and FastAPI's `{detail}`. */
export function wordsOf(body: string): Words {
  const value = parsedOrNull(body)
  const detail = Detail.safeParse(value)
  if (detail.success) return { code: null, message: detail.data.detail }
  const validation = Validation.safeParse(value)
  if (validation.success) {
    const said = validation.data.detail.map(({ loc, msg }) => `${loc.join('.')}: ${msg}`)
    return { code: null, message: said.join('; ') }
  }
  for (const [name, member] of Object.entries(z.record(z.string(), z.unknown()).catch({}).parse(value))) {
    const named = Named.safeParse(member)
    if (!named.success) continue
    const code = named.data.code ?? named.data.title ?? name
    return { code: String(code), message: named.data.message }
  }
  return { code: null, message: null }
}

function parsedOrNull(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return null // a gateway's HTML says nothing that its status does not
  }
}

export interface ErrorReader {
  /** @returns the error that an answer outside 2xx stands for */
  (answer: HttpAnswer, asked: Asked): ProviderError
}

export function createErrorReader(
  settings: Pick<KakaoSettings, 'errorWords' | 'createConflict'>,
  now: () => EpochMs,
): ErrorReader {
  const match = matchWords(settings.errorWords)
  return (answer, asked) => {
    const words = wordsOf(answer.body)
    const kind = kindOf({ answer, asked, words, match, createConflict: settings.createConflict })
    // A gateway's 408 may come after the service has begun; every other 4xx is an answer before anything was done.
    const before = answer.status >= 400 && answer.status < 500 && answer.status !== 408
    return new ProviderError(kind, `${asked.what} was answered with status ${answer.status}`, {
      effect: before || !asked.changes ? 'none' : 'maybe',
      code: words.code ?? String(answer.status),
      providerMessage: words.message,
      retryAfterMs: retryAfterMs(answer, now()) ?? (kind === 'busy' ? BUSY_RETRY_MS : null),
    })
  }
}

interface Judged {
  readonly answer: HttpAnswer
  readonly asked: Asked
  readonly words: Words
  readonly match: MatchWords
  readonly createConflict: KakaoSettings['createConflict']
}

function kindOf({ answer, asked, words, match, createConflict }: Judged): ProviderErrorKind {
  const { status } = answer
  if (status >= 500) return 'unreachable'
  if (status < 400) return 'malformed' // a redirect: it would carry our token elsewhere
  const said = REFUSALS.has(status) ? match(`${words.code ?? ''} ${words.message ?? ''}`) : null
  if (status === 429) return said === 'quota-exceeded' && isAboutNodes(answer, words) ? said : 'throttled'
  // A role that lacks rights over "this resource" is no want of resources.
  if (said !== null && !(status === 403 && said === 'out-of-capacity')) return said
  if (asked.creates === true && status === 404) return 'refused'
  if (asked.creates === true && status === 409) return createConflict
  return BY_STATUS[status] ?? 'refused'
}

/** "Rate limit exceeded" has a quota's words too; a quota of nodes does not pass by waiting. */
const isAboutNodes = (answer: HttpAnswer, words: Words): boolean =>
  answer.headers['retry-after'] === undefined && !/rate|too many requests|per second/i.test(words.message ?? '')

/** An operator that repeats what we sent would otherwise put it into our logs. */
export function scrubbed(error: ProviderError, secrets: readonly string[]): ProviderError {
  const hide = (text: string | null): string | null =>
    text === null ? null : secrets.reduce((shown, secret) => shown.replaceAll(secret, '***'), text)
  return new ProviderError(error.kind, error.message, {
    effect: error.effect,
    code: hide(error.code),
    providerMessage: hide(error.providerMessage),
    retryAfterMs: error.retryAfterMs,
  })
}
