/** Which of the nine kinds an answer outside 2xx is: as its problem document says, else as far as its status tells. */
import { type HttpAnswer, retryAfterMs } from '../http.ts'
import { type Effect, ProviderError, type ProviderErrorKind } from '../../shared/provider-error.ts'
import type { EpochMs } from '../../shared/time.ts'
import { WireProblem } from './wire.ts'

export interface Asked {
  /** The question in our words. */
  readonly what: string
  readonly changes: boolean
}

/** For gateways in between, which know nothing of kinds. */
const BY_STATUS: Readonly<Record<number, ProviderErrorKind>> = {
  401: 'unauthenticated',
  403: 'unauthenticated', // the client lacks a right: somebody must act
  404: 'not-found',
  408: 'unreachable',
  409: 'busy',
  429: 'throttled',
}

/** @param secrets what must not be shown although the operator repeats it */
export function errorOf(
  answer: HttpAnswer,
  asked: Asked,
  { now, secrets }: { readonly now: EpochMs; readonly secrets: readonly string[] },
): ProviderError {
  const problem = WireProblem.safeParse(parsedOrNull(answer.body))
  const said = problem.success ? problem.data : null
  const hidden = (text: string | null): string | null =>
    text === null ? null : secrets.reduce((shown, secret) => shown.replaceAll(secret, '***'), text)
  return new ProviderError(
    said?.kind ?? kindOf(answer.status),
    `${asked.what} was answered with status ${answer.status}`,
    {
      effect: asked.changes ? (said?.effect ?? effectOf(answer.status)) : 'none',
      code: hidden(said?.code ?? String(answer.status)),
      providerMessage: hidden(said?.detail ?? null),
      retryAfterMs: said?.retryAfterMs ?? retryAfterMs(answer, now),
    },
  )
}

function kindOf(status: number): ProviderErrorKind {
  if (status >= 500) return 'unreachable'
  if (status < 400) return 'malformed' // a redirect: it would carry our token elsewhere
  return BY_STATUS[status] ?? 'refused'
}

/** A gateway's 408 may come after the operator has begun; any other 4xx is an answer before anything was done. */
const effectOf = (status: number): Effect => (status >= 400 && status < 500 && status !== 408 ? 'none' : 'maybe')

function parsedOrNull(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return null // a gateway's HTML says nothing that its status does not
  }
}
