/**
 * Nova's refusals in our words. One root key (`badRequest`, `overLimit`, …) holds code and message; a gateway in front may
 * answer with plain text or HTML instead. Pure.
 */
import { z } from 'zod'
import { type Effect, ProviderError, type ProviderErrorKind } from '../../shared/provider-error.ts'
import { type HttpAnswer, retryAfterMs } from '../http.ts'

const Fault = z.object({
  message: z.string().nullish(),
  detail: z.string().nullish(),
  type: z.string().nullish(),
  retryAfter: z.union([z.string(), z.number()]).nullish(),
})
const Envelope = z.record(z.string(), z.unknown())

interface Refusal {
  /** Nova's root key, or Neutron's `type`. */
  readonly code: string | null
  readonly message: string | null
  readonly retryAfterSeconds: number | null
}

export interface ErrorContext {
  /** What was asked, in our words, without ids. */
  readonly asked: string
  /** Whether the request was one that changes something. */
  readonly changes: boolean
  readonly now: number
  /** What the operator's words must not be shown with, should it echo them. */
  readonly secrets: readonly string[]
}

/** An answer whose status is not 2xx → what to throw. */
export function toProviderError(answer: HttpAnswer, context: ErrorContext): ProviderError {
  const refusal = readRefusal(answer.body)
  const kind = kindOf(answer.status, refusal)
  const isUnsure = answer.status >= 500 || answer.status < 400
  const effect: Effect = context.changes && isUnsure ? 'maybe' : 'none'
  const fromBody = refusal.retryAfterSeconds === null ? null : refusal.retryAfterSeconds * 1_000
  return new ProviderError(kind, `${context.asked}: the operator answered ${answer.status}`, {
    effect,
    code: refusal.code ?? String(answer.status),
    providerMessage: withoutSecrets(refusal.message, context.secrets),
    // A quota error says "retry after 0", which is no invitation to loop.
    retryAfterMs: kind === 'quota-exceeded' ? null : (retryAfterMs(answer, context.now) ?? fromBody ?? busyPause(kind)),
  })
}

/** The same error, after a part of what was asked for was done. */
export function perhapsDone(error: ProviderError): ProviderError {
  const { code, providerMessage, retryAfterMs } = error
  return new ProviderError(error.kind, error.message, { effect: 'maybe', code, providerMessage, retryAfterMs })
}

function withoutSecrets(message: string | null, secrets: readonly string[]): string | null {
  if (message === null) return null
  return secrets.reduce((text, secret) => text.replaceAll(secret, '***'), message)
}

const BUSY_PAUSE_MS = 5_000

const busyPause = (kind: ProviderErrorKind): number | null => (kind === 'busy' ? BUSY_PAUSE_MS : null)

// The last one is Nova's since its limits are Keystone's: "is over limit of 10 due to current usage 10 and delta 2".
const QUOTA = /quota|maximum number of .{1,40} exceeded|is over (its )?limits?\b/i
const RATE = /rate.?limit/i
const NO_ROOM = /no valid host|not enough hosts|insufficient (capacity|resources)/i

export const isNoRoom = (message: string): boolean => NO_ROOM.test(message)

function kindOf(status: number, { code, message }: Refusal): ProviderErrorKind {
  const text = message ?? ''
  if (status >= 500) return 'unreachable'
  if (status < 400) return 'malformed' // a redirect or a choice of versions: not what any of our calls is answered with
  if (status === 401) return 'unauthenticated'
  if (status === 429) return 'throttled'
  if (status === 408) return 'unreachable'
  if (status === 413 && RATE.test(text)) return 'throttled' // how Nova said 429 before it knew that status
  if ((status === 403 || status === 413) && (code === 'overLimit' || QUOTA.test(text))) return 'quota-exceeded'
  if (status === 409 && QUOTA.test(text)) return 'quota-exceeded' // Neutron's OverQuota
  if (isNoRoom(text)) return 'out-of-capacity'
  if (status === 409) return 'busy'
  return 'refused'
}

const NOTHING_SAID: Refusal = { code: null, message: null, retryAfterSeconds: null }

function readRefusal(body: string): Refusal {
  const text = body.trim()
  if (text === '' || text.startsWith('<')) return NOTHING_SAID // a gateway's page says nothing that helps
  const envelope = Envelope.safeParse(parseOrNull(text))
  if (!envelope.success) return { ...NOTHING_SAID, message: text }
  for (const [root, value] of Object.entries(envelope.data)) {
    const fault = Fault.safeParse(value)
    if (!fault.success) continue
    const { message, detail, type, retryAfter } = fault.data
    const seconds = Number(retryAfter ?? Number.NaN)
    return {
      code: type ?? root,
      message: message ?? detail ?? null,
      retryAfterSeconds: Number.isFinite(seconds) ? seconds : null,
    }
  }
  return NOTHING_SAID
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
