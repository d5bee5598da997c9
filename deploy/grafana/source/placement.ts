/** How decisions are made: how many, how long, under which lock, and whether what was told came true. */
import type { Dashboard } from './dashboard.ts'
import { BAD_ABOVE_ZERO, graph, stacked, states } from './panel.ts'

const quantile = (q: number, metric: string, selector = '', by = 'le'): string =>
  `histogram_quantile(${q}, sum by (${by}) (rate(${metric}_bucket${selector}[$__rate_interval])))`

const percentiles = (metric: string, selector = ''): { readonly expr: string; readonly legend: string }[] =>
  [0.5, 0.99].map((q) => ({ expr: quantile(q, metric, selector), legend: `p${q * 100}` }))

export const PLACEMENT: Dashboard = {
  name: 'placement',
  title: 'gpu-broker / Placement',
  description: 'Decisions, promises, the calendar’s lock, and the workers that carry out.',
  variables: [],
  rows: [
    {
      title: 'Decisions',
      panels: [
        stacked({
          title: 'Decisions by kind',
          description:
            'Committed, per second. Many relocate: drains, findings or circuits. Many reject: what is asked for cannot be had.',
          unit: 'ops',
          queries: [{ expr: 'sum by (kind) (rate(gpu_broker_decisions_total[$__rate_interval]))', legend: '{{kind}}' }],
        }),
        stacked({
          title: 'Decisions by cluster',
          description: 'none: where no cluster was chosen.',
          unit: 'ops',
          queries: [
            { expr: 'sum by (cluster) (rate(gpu_broker_decisions_total[$__rate_interval]))', legend: '{{cluster}}' },
          ],
        }),
        graph({
          title: 'Time to decide',
          description: '99th percentile by kind: deciding alone, without waiting, reading or committing.',
          unit: 's',
          queries: [
            {
              expr: quantile(0.99, 'gpu_broker_decision_duration_seconds', '', 'kind, le'),
              legend: '{{kind}}',
            },
          ],
        }),
      ],
    },
    {
      title: 'Promises',
      panels: [
        graph({
          title: 'Real start against the one first told',
          description: 'Above 0: later than first told. The promise leaves slack beyond that.',
          unit: 's',
          min: -604_800,
          queries: [0.1, 0.5, 0.9].map((q) => ({
            expr: `histogram_quantile(${q}, sum by (le) (rate(gpu_broker_estimate_error_seconds_bucket[6h])))`,
            legend: `p${q * 100}`,
          })),
        }),
        stacked({
          title: 'Promises made later, by cause',
          description: 'Within a day. unexplained is a fault of the broker and must be 0.',
          unit: 'short',
          runbook: 'unexplained-slip',
          queries: [{ expr: 'sum by (cause) (increase(gpu_broker_promises_slipped_total[1d]))', legend: '{{cause}}' }],
        }),
        graph({
          title: 'Planned later than promised',
          description: 'Waiting requests without a planned start, or with one after their promise.',
          unit: 'short',
          thresholds: BAD_ABOVE_ZERO,
          runbook: 'waitlist-slipping',
          queries: [{ expr: 'max(gpu_broker_waitlist_estimate_behind_promise_requests)', legend: 'requests' }],
        }),
      ],
    },
    {
      title: 'Committing',
      panels: [
        graph({
          title: 'Time of a commit',
          description: 'One transaction under the calendar’s lock, waiting for it included.',
          unit: 's',
          runbook: 'database-slow',
          queries: percentiles('gpu_broker_commit_duration_seconds'),
        }),
        graph({
          title: 'Wait for the calendar’s lock',
          description: 'All replicas decide under it.',
          unit: 's',
          runbook: 'database-slow',
          queries: percentiles('gpu_broker_calendar_lock_wait_seconds'),
        }),
        graph({
          title: 'Requests in a commit',
          description: 'Always near 64: writes arrive faster than they are committed.',
          unit: 'short',
          queries: percentiles('gpu_broker_commit_members'),
        }),
        graph({
          title: 'Write transactions',
          description: 'All of them; pages no one, opens a ticket at half a second.',
          unit: 's',
          thresholds: [{ from: 0.5, color: 'red' }],
          runbook: 'database-slow',
          queries: percentiles('gpu_broker_transaction_duration_seconds', '{kind="write"}'),
        }),
        states({
          title: 'Database',
          description: 'Whether each replica could read the store at its scrape.',
          unit: 'none',
          runbook: 'database-down',
          names: { 0: { text: 'away', color: 'red' }, 1: { text: 'up', color: 'green' } },
          queries: [{ expr: 'gpu_broker_database_up', legend: '{{instance}}' }],
        }),
        graph({
          title: 'Connections',
          description: 'waiting: callers that wait for one.',
          unit: 'short',
          queries: [{ expr: 'sum by (state) (gpu_broker_database_connections)', legend: '{{state}}' }],
        }),
      ],
    },
    {
      title: 'Carrying out',
      panels: [
        graph({
          title: 'Most overdue look',
          description: 'Allocations whose turn has come and that no replica has looked at. Pages at 2 minutes.',
          unit: 's',
          thresholds: [{ from: 120, color: 'red' }],
          runbook: 'reconcile-lag',
          queries: [{ expr: 'max(gpu_broker_reconcile_lag_seconds)', legend: 'late by' }],
        }),
        graph({
          title: 'Workers’ errors',
          description: 'Rounds that ended in an error that was not an operator’s, within 15 minutes.',
          unit: 'short',
          runbook: 'worker-errors',
          queries: [{ expr: 'sum by (worker) (increase(gpu_broker_worker_errors_total[15m]))', legend: '{{worker}}' }],
        }),
        graph({
          title: 'Claims taken over',
          description: 'From a replica that died or stood still, within 15 minutes.',
          unit: 'short',
          runbook: 'replica-down',
          queries: [{ expr: 'sum(increase(gpu_broker_claims_stolen_total[15m]))', legend: 'claims' }],
        }),
        graph({
          title: 'Longest in provisioning',
          description: 'By operator; pages at half an hour.',
          unit: 's',
          width: 24,
          thresholds: [{ from: 1800, color: 'red' }],
          runbook: 'start-stuck',
          queries: [{ expr: 'max by (provider) (gpu_broker_provisioning_oldest_seconds)', legend: '{{provider}}' }],
        }),
      ],
    },
  ],
}
