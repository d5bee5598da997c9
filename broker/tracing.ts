/**
 * Which trace the work in hand belongs to, carried along by the runtime and not by arguments; and spans, by OpenTelemetry's
 * API alone. Without an SDK beside it nothing is recorded, and the ids are ours: they are in the log, in exemplars, in what
 * is stored and in what is sent, all the same. The only file that imports `@opentelemetry/api`.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import {
  type Attributes,
  context,
  isSpanContextValid,
  type Link,
  ROOT_CONTEXT,
  type Span as OtelSpan,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
} from '@opentelemetry/api'
import { parseTraceparent, type TraceContext, traceparentOf } from '../shared/trace-context.ts'
import { randomIdBytes } from './random.ts'

export interface Span {
  /** As the API knows it. */
  readonly otel: OtelSpan
  /** For whoever is asked to do a part of it. */
  readonly traceparent: string
  readonly traceId: string
  set(attributes: Attributes): void
  /** @param failure what went wrong, in a word; null for nothing */
  end(failure: string | null): void
}

export interface SpanOptions {
  readonly name: string
  /** Default: a piece of work of our own. */
  readonly kind?: 'server' | 'client' | 'producer'
  /** What it is a part of; null: of nothing. Default: of what is in hand. */
  readonly parent?: string | null
  /** Of what it came, where it is no part of that. */
  readonly link?: string | null
  readonly attributes?: Attributes
}

/** What the log says of the work in hand. */
export interface LogFields {
  readonly requestId?: string
  readonly allocationId?: string
}

interface InHand {
  readonly traceparent: string
  readonly traceId: string
  readonly fields: LogFields
}

const inHand = new AsyncLocalStorage<InHand | null>()
const tracer = trace.getTracer('gpu-broker')
const KINDS = { server: SpanKind.SERVER, client: SpanKind.CLIENT, producer: SpanKind.PRODUCER } as const

export function startSpan({ name, kind, parent, link = null, attributes = {} }: SpanOptions): Span {
  const above = parent === undefined ? currentTraceparent() : parent
  const links = linksTo(link)
  const options = { attributes, links, kind: kind === undefined ? SpanKind.INTERNAL : KINDS[kind] }
  const otel = tracer.startSpan(name, options, contextUnder(above))
  const recorded = otel.spanContext()
  const own = isSpanContextValid(recorded) ? fromOtel(recorded) : (parseTraceparent(above) ?? newTrace())
  return {
    otel,
    traceparent: traceparentOf(own),
    traceId: own.traceId,
    set: (more) => void otel.setAttributes(more),
    end(failure) {
      if (failure !== null) otel.setStatus({ code: SpanStatusCode.ERROR, message: failure })
      otel.end()
    },
  }
}

/** Runs `work` as a part of the span: what it logs, asks for and starts belongs there. Ending it is the caller's. */
export function within<T>(span: Span, fields: LogFields, work: () => T): T {
  const { otel, traceparent, traceId } = span
  const merged = { ...inHand.getStore()?.fields, ...fields }
  return inHand.run({ traceparent, traceId, fields: merged }, () =>
    context.with(trace.setSpan(context.active(), otel), work),
  )
}

/** A span for as long as `work` lasts. @param failureOf what is told of an error, in a word: never its text */
export async function inSpan<T>(
  options: SpanOptions & { readonly fields?: LogFields; readonly failureOf?: (error: unknown) => string },
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const span = startSpan(options)
  try {
    const result = await within(span, options.fields ?? {}, () => work(span))
    span.end(null)
    return result
  } catch (error) {
    span.end(options.failureOf?.(error) ?? 'error')
    throw error
  }
}

/** Runs what is nobody's part, such as a loop that whoever is at work now has only woken. */
export const outsideOfTraces = <T>(work: () => T): T => inHand.run(null, () => context.with(ROOT_CONTEXT, work))

/** Of the work in hand; null for none. */
export const currentTraceparent = (): string | null => inHand.getStore()?.traceparent ?? null

export const currentTraceId = (): string | null => inHand.getStore()?.traceId ?? null

/** What every line of the log has beside its own. */
export function currentLogFields(): LogFields & { readonly traceId?: string } {
  const now = inHand.getStore() ?? null
  return now === null ? {} : { ...now.fields, traceId: now.traceId }
}

/** Under which a request is taken: a span that the SDK's own instrumentation has begun for it, else what its sender says. */
export function parentOfRequest(header: string | undefined): string | null {
  const active = trace.getSpanContext(context.active())
  if (active !== undefined && isSpanContextValid(active)) return traceparentOf(fromOtel(active))
  return header ?? null
}

const contextUnder = (traceparent: string | null) => {
  const parsed = parseTraceparent(traceparent)
  return parsed === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, toOtel(parsed))
}

function linksTo(traceparent: string | null): Link[] {
  const parsed = parseTraceparent(traceparent)
  return parsed === null ? [] : [{ context: toOtel(parsed) }]
}

const toOtel = ({ traceId, spanId, isSampled }: TraceContext): SpanContext => ({
  traceId,
  spanId,
  traceFlags: isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
  isRemote: true,
})

const fromOtel = ({ traceId, spanId, traceFlags }: SpanContext): TraceContext => ({
  traceId,
  spanId,
  isSampled: (traceFlags & TraceFlags.SAMPLED) !== 0,
})

const TRACE_ID_DIGITS = 32
/** A trace's id and a span's. */
const TRACE_BYTES = 24

/** Nobody records it: it says so, and is followed by its id alone. */
function newTrace(): TraceContext {
  const digits = randomIdBytes(TRACE_BYTES).toString('hex')
  return { traceId: digits.slice(0, TRACE_ID_DIGITS), spanId: digits.slice(TRACE_ID_DIGITS), isSampled: false }
}
