/**
 * Preloaded into a broker, it takes metrics and traces out of it: the two modules are replaced by others of the same shape
 * that do nothing. What is left is what the broker would be without them.
 */
import { registerHooks } from 'node:module'

const METRICS = `
const nothing = () => undefined
const instrument = new Proxy({}, { get: () => nothing })
export const createMetrics = () =>
  new Proxy({}, { get: (_, name) => (name === 'read' ? async () => ({ contentType: 'text/plain', text: '' }) : instrument) })
`

const TRACING = `
const span = { otel: { updateName() {} }, traceparent: null, traceId: null, set() {}, end() {} }
export const startSpan = () => span
export const within = (_span, _fields, work) => work()
export const inSpan = (_options, work) => work(span)
export const outsideOfTraces = (work) => work()
export const currentTraceparent = () => null
export const currentTraceId = () => null
export const currentLogFields = () => ({})
export const parentOfRequest = () => null
`

const REPLACED: ReadonlyMap<string, string> = new Map([
  [new URL('../../broker/metrics.ts', import.meta.url).href, METRICS],
  [new URL('../../broker/tracing.ts', import.meta.url).href, TRACING],
])

registerHooks({
  load(url, context, next) {
    const source = REPLACED.get(url)
    return source === undefined ? next(url, context) : { format: 'module', source, shortCircuit: true }
  },
})
