/** Decisions and the transactions that they are made in. */
import { counter, histogram, QUICK_SECONDS, tracedHistogram } from './definition.ts'

export const DECIDING = {
  decisions: counter({
    name: 'gpu_broker_decisions_total',
    help: 'Decisions committed, by kind and chosen cluster (none where there is none).',
    unit: 'one',
    labels: ['kind', 'cluster'],
    next: 'Many `reject`: `GET /v1/decisions` shows candidates and reasons. Many `relocate`: sweep findings, drains, circuits.',
  }),
  decisionSeconds: tracedHistogram({
    name: 'gpu_broker_decision_duration_seconds',
    help: 'Time of deciding alone, by the kind of the first decision that came of it: no waiting, no reading, no commit.',
    unit: 'seconds',
    labels: ['kind'],
    buckets: [0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.25, 1],
    next: 'The length of the waitlist and of the calendar (`gpu_broker_waitlist_requests`, `gpu_broker_allocations`); `npm run bench -- placement` on the same machine.',
  }),
  groupMembers: histogram({
    name: 'gpu_broker_commit_members',
    help: 'Requests that shared one commit.',
    unit: 'requests',
    buckets: [1, 2, 4, 8, 16, 32, 64],
    next: 'Always 64: writes arrive faster than they are committed; see `gpu_broker_commit_duration_seconds`.',
  }),
  groups: counter({
    name: 'gpu_broker_commit_groups_total',
    help: 'Commits, by how their requests were decided: under the lock; ahead of it, while the commit before was written; or again, because another replica had decided in between.',
    unit: 'one',
    labels: ['decided'],
    next: 'Many `again`: several replicas take writes at the same time, and each decides some requests twice. That costs their time only.',
  }),
  commitSeconds: tracedHistogram({
    name: 'gpu_broker_commit_duration_seconds',
    help: 'Time of one transaction under the calendar lock, waiting for the lock included.',
    unit: 'seconds',
    buckets: [...QUICK_SECONDS],
    next: '`gpu_broker_calendar_lock_wait_seconds` (other replicas), `gpu_broker_decision_duration_seconds` (our own work), then the database itself.',
  }),
  lockWaitSeconds: histogram({
    name: 'gpu_broker_calendar_lock_wait_seconds',
    help: 'Time until a transaction had the calendar lock, which all replicas decide under.',
    unit: 'seconds',
    buckets: [0.000_25, 0.000_5, ...QUICK_SECONDS, 10, 30],
    next: 'Another replica holds it for long; one that stands still loses it after 15 s: `select * from pg_stat_activity` with `wait_event_type = ’Lock’`.',
  }),
  promisesSlipped: counter({
    name: 'gpu_broker_promises_slipped_total',
    help: 'Promised starts made later, by cause; unexplained is a fault of the broker and stays 0.',
    unit: 'one',
    labels: ['cause'],
    next: 'Events `kr.gpubroker.allocation.promise-slipped` name the cause and its id. `unexplained`: `gpu-broker decisions verify`, and tell the developers.',
  }),
}
