/** The broker itself: its database, its loops, its process. */
import { counter, gauge, histogram, QUICK_SECONDS } from './definition.ts'

export const INSIDE = {
  databaseUp: gauge({
    name: 'gpu_broker_database_up',
    help: '1 if the store could be read at this scrape within its deadline, else 0; then gauges of the store are left out.',
    unit: 'none',
    next: '`/readyz`, the log (`a connection to the database broke`), the database’s own.',
  }),
  databaseConnections: gauge({
    name: 'gpu_broker_database_connections',
    help: 'Connections of this replica: total, idle, and callers waiting for one. The embedded database has one.',
    unit: 'one',
    labels: ['state'],
    next: '`waiting` above 0: which transactions take long, `gpu_broker_transaction_duration_seconds`.',
  }),
  transactionSeconds: histogram({
    name: 'gpu_broker_transaction_duration_seconds',
    help: 'Time of a transaction: write for those of several statements and for single ones that change something, read for single ones that do not.',
    unit: 'seconds',
    labels: ['kind'],
    buckets: [...QUICK_SECONDS, 10, 30],
    next: '`gpu_broker_calendar_lock_wait_seconds` for writes; for reads `pg_stat_statements`.',
  }),
  reconcileLagSeconds: gauge({
    name: 'gpu_broker_reconcile_lag_seconds',
    help: 'How long the look that is overdue the longest is overdue; 0 where none is.',
    unit: 'seconds',
    next: 'Whether a replica runs at all, `gpu_broker_worker_errors_total`, and `gpu_broker_look_duration_seconds`: slow providers fill their lane.',
  }),
  claimsStolen: counter({
    name: 'gpu_broker_claims_stolen_total',
    help: 'Claims that this replica took over from a holder whose lease had ended: it died, or stood still.',
    unit: 'one',
    next: 'Restarts of the other replicas, their event loops and their connection to the database.',
  }),
  workerErrors: counter({
    name: 'gpu_broker_worker_errors_total',
    help: 'Rounds of a worker that ended in an error that was not a provider’s.',
    unit: 'one',
    labels: ['worker'],
    next: 'The log, `a worker failed and goes on`, with the same worker.',
  }),
  eventLoopLagSeconds: gauge({
    name: 'gpu_broker_event_loop_lag_seconds',
    help: 'How late the process’ event loop was since the last scrape (or longer, where that is less than 5 s ago): percentiles 50, 99 and 100.',
    unit: 'seconds',
    labels: ['percentile'],
    next: 'What is large: the waitlist at a re-plan, lists of 10,000. The embedded database runs on the same loop.',
  }),
  buildInfo: gauge({
    name: 'gpu_broker_build_info',
    help: '1, with the versions of the broker, of Node and of the API in its labels.',
    unit: 'none',
    labels: ['version', 'node', 'contract'],
    next: 'More than one value: a rollout that has not ended.',
  }),
}
