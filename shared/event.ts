/** The types of events, after `kr.gpubroker.`. */

export const EVENT_PREFIX = 'kr.gpubroker.'

export const EVENT_TYPES = [
  'allocation.waitlisted',
  'allocation.scheduled',
  'allocation.provisioning',
  'allocation.active',
  'allocation.releasing',
  'allocation.released',
  'allocation.preempting',
  'allocation.failed',
  'allocation.cancelled',
  'allocation.relocated',
  'allocation.extended',
  'allocation.shrunk',
  'allocation.degraded',
  'allocation.promise-slipped',
  'node.failed',
  'node.replaced',
  'cluster.drained',
  'cluster.drain-lifted',
  'cluster.suspended',
  'cluster.resumed',
  'provider.suspended',
  'provider.resumed',
  'provider.frozen',
  'provider.unfrozen',
  'approval.put',
  'approval.revoked',
] as const

export type EventType = (typeof EVENT_TYPES)[number]
