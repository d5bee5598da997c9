/** Who waits, and how true what they were told is. */
import { gauge, histogram } from './definition.ts'

const HOUR = 3_600
const DAY = 24 * HOUR

export const WAITING = {
  waitlistRequests: gauge({
    name: 'gpu_broker_waitlist_requests',
    help: 'Requests that wait, by the architecture that they are bound to (any where they are bound to none or to several) and priority.',
    unit: 'requests',
    labels: ['architecture', 'priority'],
    next: '`GET /v1/waitlist` with each one’s reason.',
  }),
  waitlistNodes: gauge({
    name: 'gpu_broker_waitlist_nodes',
    help: 'Nodes that those who wait ask for: of their planned place, or the fewest that the demand comes to.',
    unit: 'nodes',
    labels: ['architecture', 'priority'],
    next: 'Beside `gpu_broker_nodes{state="idle"}`: room that nobody waiting can use is a matter of size or architecture.',
  }),
  waitlistOldestSeconds: gauge({
    name: 'gpu_broker_waitlist_oldest_seconds',
    help: 'How long the one who has waited longest has waited; 0 where nobody waits.',
    unit: 'seconds',
    next: 'The first of `GET /v1/waitlist`, its waiting reason and its promise.',
  }),
  waitlistBehindPromise: gauge({
    name: 'gpu_broker_waitlist_estimate_behind_promise_requests',
    help: 'Who waits and is to start later than promised as things stand, or was promised a start and has no plan; 0 unless something slips.',
    unit: 'requests',
    next: 'Events `kr.gpubroker.allocation.promise-slipped`; drains, suspensions, open circuits, quarantine.',
  }),
  estimateErrorSeconds: histogram({
    name: 'gpu_broker_estimate_error_seconds',
    help: 'Real start minus the start that was told first, of those that did not start at once; negative is earlier.',
    unit: 'seconds',
    buckets: [-7 * DAY, -DAY, -6 * HOUR, -HOUR, -600, -60, 0, 1, 5, 60, 600, HOUR, 6 * HOUR, DAY, 7 * DAY],
    next: 'Late ones: the promise and its cause. Early ones: releases before their end, which is good.',
  }),
}
