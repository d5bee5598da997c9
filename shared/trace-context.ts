/** W3C Trace Context: the one header that says which trace a piece of work belongs to, and under which of its spans. */

export interface TraceContext {
  /** 32 hex digits. */
  readonly traceId: string
  /** 16 hex digits: the span that whoever reads this works under. */
  readonly spanId: string
  readonly isSampled: boolean
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const ALL_ZEROS = /^0+$/
const SAMPLED = 0x01

/** Null for what is no trace context: it is left out rather than passed on. */
export function parseTraceparent(text: string | null | undefined): TraceContext | null {
  const [, version, traceId = '', spanId = '', flags = '', rest] = TRACEPARENT.exec(text ?? '') ?? []
  if (version === undefined || version === 'ff' || ALL_ZEROS.test(traceId) || ALL_ZEROS.test(spanId)) return null
  // Later versions may say more, and are read as far as this one goes.
  if (version === '00' && rest !== undefined) return null
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 }
}

export const traceparentOf = ({ traceId, spanId, isSampled }: TraceContext): string =>
  `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`

/** Null for no trace. */
export const traceIdOf = (traceparent: string | null): string | null => parseTraceparent(traceparent)?.traceId ?? null
