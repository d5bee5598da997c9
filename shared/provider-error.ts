/**
 * What can go wrong at a provider, in nine kinds. An adapter translates its operator's answers into these and keeps the
 * operator's own code and message beside them; nobody outside the adapter ever reads a provider's text to decide.
 */

export const PROVIDER_ERROR_KINDS = [
  'unreachable',
  'throttled',
  'busy',
  'out-of-capacity',
  'quota-exceeded',
  'refused',
  'unauthenticated',
  'not-found',
  'malformed',
] as const

export type ProviderErrorKind = (typeof PROVIDER_ERROR_KINDS)[number]

/** Whether the same call may simply be made again later. */
export const RETRYABLE: Readonly<Record<ProviderErrorKind, boolean>> = {
  unreachable: true, // no answer, or a 5xx; the call may or may not have had effect
  throttled: true, // too many calls; nothing was done
  busy: true, // understood, not in this state: ask again soon
  'out-of-capacity': false, // it understood and has no room
  'quota-exceeded': false, // it has room, and we may not have it
  refused: false, // it understood and will not: image, name, request
  unauthenticated: false, // our key is not accepted: waits, and pages
  'not-found': false, // for a deletion, that is success
  malformed: false, // an answer that we cannot read
}

/** `none`: surely nothing happened. `maybe`: list before asking again, and keep looking for the visibility delay. */
export type Effect = 'none' | 'maybe'

export interface ProviderErrorDetails {
  readonly effect: Effect
  /** The operator's own code, verbatim but for what may be a secret; null where it gave none. */
  readonly code?: string | null
  /** The operator's own words, cut to 500 characters, without what may be a secret; never a header or a request body. */
  readonly providerMessage?: string | null
  /** How long the operator asked us to wait, in ms. */
  readonly retryAfterMs?: number | null
  readonly cause?: unknown
}

const MAX_MESSAGE_CHARACTERS = 500
/**
 * Long runs of this alphabet are tokens, keys and boot scripts, which errors like to quote; so are tokens of 32 hex. An
 * adapter takes its own credentials out of what it passes on, and cannot know what else an operator may let slip.
 */
const LONG_RUN = /[A-Za-z0-9+/=_-]{64,}|\b[0-9a-f]{32}\b/g

const withoutLongRuns = (text: string | null | undefined): string | null => text?.replace(LONG_RUN, '***') ?? null

export class ProviderError extends Error {
  override readonly name = 'ProviderError'
  readonly kind: ProviderErrorKind
  readonly effect: Effect
  readonly code: string | null
  readonly providerMessage: string | null
  readonly retryAfterMs: number | null

  /** @param message our own words; what the operator said goes into `providerMessage` */
  constructor(kind: ProviderErrorKind, message: string, details: ProviderErrorDetails) {
    super(message, { cause: details.cause })
    this.kind = kind
    this.effect = details.effect
    this.code = withoutLongRuns(details.code)
    this.providerMessage = withoutLongRuns(details.providerMessage)?.slice(0, MAX_MESSAGE_CHARACTERS) ?? null
    this.retryAfterMs = details.retryAfterMs ?? null
  }
}
