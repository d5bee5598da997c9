/** What callers get: requests, what is turned away, and what they asked twice. */
import { counter, QUICK_SECONDS, tracedHistogram } from './definition.ts'

export const API = {
  requestSeconds: tracedHistogram({
    name: 'gpu_broker_http_request_duration_seconds',
    help: 'Time to answer an API request, by route, method and status; streams of events are not among them.',
    unit: 'seconds',
    labels: ['route', 'method', 'status'],
    buckets: [...QUICK_SECONDS],
    next: 'Which route and status; then `gpu_broker_commit_duration_seconds` for writes, `gpu_broker_event_loop_lag_seconds` for everything at once. A 5xx has a line `request failed` in the log, with the trace of the exemplar.',
  }),
  requestsRejected: counter({
    name: 'gpu_broker_requests_rejected_total',
    help: 'Requests turned away before anything was done for them: overload (503) or rate-limit (429).',
    unit: 'requests',
    labels: ['reason'],
    next: 'rate-limit: one client asks too often, or too much at a time; the access log (debug) names it. overload: what makes answers slow, `gpu_broker_commit_duration_seconds` and the event loop first; then more replicas.',
  }),
  idempotentReplays: counter({
    name: 'gpu_broker_idempotent_replays_total',
    help: 'Answers that were the first answer to an Idempotency-Key again.',
    unit: 'requests',
    next: 'Clients repeat what they got no answer to: whether they were cut off (5xx, time-outs at the balancer) or repeat for no reason.',
  }),
}
