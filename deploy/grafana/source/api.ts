/** What callers get, how the events reach them, and the service levels. */
import type { Dashboard } from './dashboard.ts'
import { graph, number, stacked, table } from './panel.ts'

const REQUESTS = 'gpu_broker_http_request_duration_seconds'
const rate = (selector: string): string => `rate(${REQUESTS}_count${selector}[$__rate_interval])`

const quantile = (q: number, metric: string, by = 'le'): string =>
  `histogram_quantile(${q}, sum by (${by}) (rate(${metric}_bucket[$__rate_interval])))`

const percentiles = (metric: string): { readonly expr: string; readonly legend: string }[] =>
  [0.5, 0.95, 0.99].map((q) => ({ expr: quantile(q, metric), legend: `p${q * 100}` }))

/** Objective of each level of docs/slo.md, as the share that may be missed. */
const BUDGETS = {
  'api-availability': 0.001,
  'start-to-active': 0.05,
  'promise-keeping': 0.01,
  'release-confirmed': 0.01,
  'event-delivery': 0.01,
} as const

const RUNBOOK = {
  'api-availability': 'api-budget-burn',
  'start-to-active': 'start-budget-burn',
  'promise-keeping': 'promise-budget-burn',
  'release-confirmed': 'release-budget-burn',
  'event-delivery': 'event-budget-burn',
} as const satisfies Record<keyof typeof BUDGETS, string>

const LEVELS = Object.keys(BUDGETS) as (keyof typeof BUDGETS)[]

export const API: Dashboard = {
  name: 'api',
  title: 'gpu-broker / API',
  description: 'Requests, events and service levels.',
  variables: [],
  rows: [
    {
      title: 'Budget left of 30 days',
      panels: [
        ...LEVELS.map((slo) =>
          number({
            title: slo,
            description: `1: nothing was missed; 0: as much as may be (${BUDGETS[slo] * 100} %). What it means: docs/slo.md.`,
            unit: 'percentunit',
            thresholds: [],
            runbook: RUNBOOK[slo],
            queries: [
              {
                expr: `1 - gpu_broker:slo_errors:ratio_rate30d{slo="${slo}"} / ${BUDGETS[slo]}`,
                legend: slo,
              },
            ],
          }),
        ),
        number({
          title: 'Replicas up',
          description: 'Those that Prometheus reaches.',
          unit: 'short',
          runbook: 'replica-down',
          queries: [{ expr: 'sum(up{job="gpu-broker"})', legend: 'up' }],
        }),
      ],
    },
    {
      title: 'Requests',
      panels: [
        stacked({
          title: 'Requests by status',
          description: 'Per second, all replicas.',
          unit: 'reqps',
          queries: [{ expr: `sum by (status) (${rate('')})`, legend: '{{status}}' }],
        }),
        graph({
          title: 'Requests that failed',
          description: 'Share that ended in a 5xx; 0.1 % over 30 days is agreed.',
          unit: 'percentunit',
          thresholds: [{ from: 0.001, color: 'red' }],
          runbook: 'api-budget-burn',
          queries: [
            {
              expr: `(sum(${rate('{status=~"5.."}')}) or vector(0)) / sum(${rate('')})`,
              legend: '5xx',
            },
          ],
        }),
        graph({
          title: 'Time to answer',
          description: 'All routes but streams.',
          unit: 's',
          queries: percentiles(REQUESTS),
        }),
        stacked({
          title: 'Busiest routes',
          description: 'The ten with most requests.',
          unit: 'reqps',
          width: 12,
          queries: [{ expr: `topk(10, sum by (method, route) (${rate('')}))`, legend: '{{method}} {{route}}' }],
        }),
        graph({
          title: 'Slowest routes, 99th percentile',
          description: 'The ten slowest.',
          unit: 's',
          width: 12,
          queries: [
            { expr: `topk(10, ${quantile(0.99, REQUESTS, 'method, route, le')})`, legend: '{{method}} {{route}}' },
          ],
        }),
        graph({
          title: 'Turned away',
          description:
            'overload: more than can be answered in time (503). rate-limit: one client asks too often, or too much at a time (429).',
          unit: 'reqps',
          width: 12,
          runbook: 'overloaded',
          queries: [
            {
              expr: 'sum by (reason) (rate(gpu_broker_requests_rejected_total[$__rate_interval]))',
              legend: '{{reason}}',
            },
          ],
        }),
        graph({
          title: 'First answers given again',
          description:
            'Requests with an Idempotency-Key that was known. Many: callers are cut off, or repeat for no reason.',
          unit: 'reqps',
          width: 12,
          queries: [{ expr: 'sum(rate(gpu_broker_idempotent_replays_total[$__rate_interval]))', legend: 'replayed' }],
        }),
      ],
    },
    {
      title: 'Events',
      panels: [
        graph({
          title: 'From an event to its streams',
          description: 'Within a second is usual.',
          unit: 's',
          thresholds: [{ from: 5, color: 'red' }],
          runbook: 'event-log-lag',
          queries: percentiles('gpu_broker_event_lag_seconds'),
        }),
        graph({
          title: 'From an event to its webhook',
          description: 'Until the endpoint has accepted it; 99 % within 60 s is agreed.',
          unit: 's',
          thresholds: [{ from: 60, color: 'red' }],
          runbook: 'event-budget-burn',
          queries: percentiles('gpu_broker_webhook_delivery_seconds'),
        }),
        stacked({
          title: 'Attempts at webhooks',
          description: 'delivered, failed (tried again), parked (given up after 3 days).',
          unit: 'ops',
          queries: [
            {
              expr: 'sum by (outcome) (rate(gpu_broker_webhook_deliveries_total[$__rate_interval]))',
              legend: '{{outcome}}',
            },
          ],
        }),
        graph({
          title: 'Webhook backlog',
          description: 'Deliveries to be tried again, and events that the slowest endpoint has not come to.',
          unit: 'short',
          width: 12,
          runbook: 'webhook-backlog',
          queries: [
            { expr: 'max(gpu_broker_webhook_retrying)', legend: 'to be tried again' },
            { expr: 'max(gpu_broker_webhook_events_behind)', legend: 'not come to yet' },
          ],
        }),
        graph({
          title: 'Open streams',
          description: 'By replica.',
          unit: 'short',
          width: 12,
          queries: [{ expr: 'gpu_broker_event_streams', legend: '{{instance}}' }],
        }),
      ],
    },
    {
      title: 'Processes',
      panels: [
        graph({
          title: 'Event loop lag',
          description:
            '99th percentile by replica, since the scrape before. Every request waits so long beside its own time.',
          unit: 's',
          width: 12,
          thresholds: [{ from: 0.25, color: 'red' }],
          runbook: 'event-loop-lag',
          queries: [{ expr: 'gpu_broker_event_loop_lag_seconds{percentile="99"}', legend: '{{instance}}' }],
        }),
        table({
          title: 'Builds',
          description: 'More than one version: a rollout that has not ended.',
          unit: 'none',
          width: 12,
          queries: [{ expr: 'gpu_broker_build_info', legend: '' }],
        }),
      ],
    },
  ],
}
