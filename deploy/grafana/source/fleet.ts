/** What there is, who has it, and who waits. Gauges of the store are the same on every replica: `max` over them. */
import type { Dashboard } from './dashboard.ts'
import { BAD_ABOVE_ZERO, bars, graph, number, stacked } from './panel.ts'

const nodes = (state: string): string =>
  `sum(max by (cluster) (gpu_broker_nodes{cluster=~"$cluster", state=~"${state}"}))`

const CAPACITY = 'max by (cluster) (gpu_broker_cluster_capacity_nodes{cluster=~"$cluster"})'

export const FLEET: Dashboard = {
  name: 'fleet',
  title: 'gpu-broker / Fleet',
  description: 'Capacity, use and the waitlist of all clusters.',
  variables: [{ name: 'cluster', of: 'gpu_broker_cluster_capacity_nodes' }],
  rows: [
    {
      title: 'Now',
      panels: [
        number({
          title: 'Nodes in service',
          description: 'What the clusters have now, by the phases of the inventory.',
          unit: 'short',
          queries: [{ expr: `sum(${CAPACITY})`, legend: 'nodes' }],
        }),
        number({
          title: 'Ready',
          description: 'Nodes that somebody can work on.',
          unit: 'short',
          queries: [{ expr: nodes('ready'), legend: 'ready' }],
        }),
        number({
          title: 'Idle',
          description:
            'Nodes that nobody has. Many of them beside a long waitlist: whoever waits wants more than a cluster has free.',
          unit: 'short',
          queries: [{ expr: nodes('idle'), legend: 'idle' }],
        }),
        number({
          title: 'Waiting for nodes',
          description: 'Nodes that requests on the waitlist ask for.',
          unit: 'short',
          queries: [
            { expr: 'sum(max by (architecture, priority) (gpu_broker_waitlist_nodes))', legend: 'nodes asked for' },
          ],
        }),
        number({
          title: 'Quarantined',
          description: 'Nodes that the operator still lists after they were to be gone. Nobody gets them.',
          unit: 'short',
          thresholds: BAD_ABOVE_ZERO,
          runbook: 'quarantine-old',
          queries: [{ expr: nodes('quarantined'), legend: 'quarantined' }],
        }),
        number({
          title: 'Shortfall',
          description: 'Nodes that what runs needs and the clusters do not have.',
          unit: 'short',
          thresholds: BAD_ABOVE_ZERO,
          runbook: 'shortfall',
          queries: [
            {
              expr: 'sum(max by (cluster) (gpu_broker_cluster_shortfall_nodes{cluster=~"$cluster"}))',
              legend: 'shortfall',
            },
          ],
        }),
      ],
    },
    {
      title: 'Capacity and use',
      panels: [
        stacked({
          title: 'Nodes by state',
          description: 'Every node is in one state; together they are the capacity.',
          unit: 'short',
          width: 12,
          queries: [
            {
              expr: 'sum by (state) (max by (cluster, state) (gpu_broker_nodes{cluster=~"$cluster"}))',
              legend: '{{state}}',
            },
          ],
        }),
        bars({
          title: 'Taken, by cluster',
          description: 'Nodes that are not idle, of those in service.',
          unit: 'percentunit',
          max: 1,
          width: 6,
          thresholds: [{ from: 0.95, color: 'yellow' }],
          queries: [
            {
              expr: `1 - max by (cluster) (gpu_broker_nodes{cluster=~"$cluster", state="idle"}) / (${CAPACITY} > 0)`,
              legend: '{{cluster}}',
            },
          ],
        }),
        graph({
          title: 'Out of service, by cluster',
          description: 'Drained (found and unknown nodes included), failed and quarantined.',
          unit: 'short',
          width: 6,
          runbook: 'sweep-finding',
          queries: [
            {
              expr: 'sum by (cluster, state) (max by (cluster, state) (gpu_broker_nodes{cluster=~"$cluster", state=~"drained|failed|quarantined"})) > 0',
              legend: '{{cluster}} {{state}}',
            },
          ],
        }),
        stacked({
          title: 'Allocations by status',
          description: 'Those that have not ended.',
          unit: 'short',
          queries: [
            { expr: 'sum by (status) (max by (status, provider) (gpu_broker_allocations))', legend: '{{status}}' },
          ],
        }),
        stacked({
          title: 'Allocations by operator',
          description: 'Those that have not ended; none: without a place.',
          unit: 'short',
          queries: [
            { expr: 'sum by (provider) (max by (status, provider) (gpu_broker_allocations))', legend: '{{provider}}' },
          ],
        }),
        graph({
          title: 'Oldest quarantine',
          description: 'Pages after an hour.',
          unit: 's',
          thresholds: [{ from: 3600, color: 'red' }],
          runbook: 'quarantine-old',
          queries: [
            {
              expr: 'max by (cluster) (gpu_broker_quarantine_oldest_seconds{cluster=~"$cluster"})',
              legend: '{{cluster}}',
            },
          ],
        }),
      ],
    },
    {
      title: 'Waitlist',
      panels: [
        stacked({
          title: 'Requests that wait, by priority',
          description: 'All architectures together.',
          unit: 'short',
          queries: [
            {
              expr: 'sum by (priority) (max by (architecture, priority) (gpu_broker_waitlist_requests))',
              legend: '{{priority}}',
            },
          ],
        }),
        stacked({
          title: 'Nodes asked for, by architecture',
          description: 'any: whoever takes either.',
          unit: 'short',
          queries: [
            {
              expr: 'sum by (architecture) (max by (architecture, priority) (gpu_broker_waitlist_nodes))',
              legend: '{{architecture}}',
            },
          ],
        }),
        graph({
          title: 'Oldest wait',
          description: 'How long the request that has waited longest has waited.',
          unit: 's',
          queries: [{ expr: 'max(gpu_broker_waitlist_oldest_seconds)', legend: 'oldest' }],
        }),
        graph({
          title: 'Planned later than promised',
          description:
            'Waiting requests without a planned start, or with one after their promise. 0 while all is well.',
          unit: 'short',
          thresholds: BAD_ABOVE_ZERO,
          runbook: 'waitlist-slipping',
          queries: [{ expr: 'max(gpu_broker_waitlist_estimate_behind_promise_requests)', legend: 'requests' }],
        }),
        graph({
          title: 'From start to active',
          description: 'Median and 95th percentile by operator; 95 % within 30 minutes is agreed.',
          unit: 's',
          thresholds: [{ from: 1800, color: 'red' }],
          runbook: 'start-budget-burn',
          queries: [0.5, 0.95].map((quantile) => ({
            expr: `histogram_quantile(${quantile}, sum by (provider, le) (rate(gpu_broker_start_to_active_seconds_bucket[1h])))`,
            legend: `{{provider}} p${quantile * 100}`,
          })),
        }),
        graph({
          title: 'From release to gone',
          description: '95th percentile by operator; 99 % within 30 minutes is agreed.',
          unit: 's',
          thresholds: [{ from: 1800, color: 'red' }],
          runbook: 'release-budget-burn',
          queries: [
            {
              expr: 'histogram_quantile(0.95, sum by (provider, le) (rate(gpu_broker_release_confirm_seconds_bucket[1h])))',
              legend: '{{provider}}',
            },
          ],
        }),
      ],
    },
    {
      title: 'Hands that are held',
      panels: [
        number({
          title: 'Frozen operators',
          description: 'Nothing is made or deleted there.',
          unit: 'short',
          width: 6,
          thresholds: BAD_ABOVE_ZERO,
          runbook: 'frozen-too-long',
          queries: [{ expr: 'sum(max by (provider) (gpu_broker_frozen{provider!="all"}))', legend: 'frozen' }],
        }),
        number({
          title: 'Deletions held',
          description: 'After a restore nothing is deleted until a person has looked.',
          unit: 'none',
          width: 6,
          thresholds: BAD_ABOVE_ZERO,
          names: { 0: { text: 'no', color: 'green' }, 1: { text: 'held', color: 'red' } },
          runbook: 'deletes-held',
          queries: [{ expr: 'max(gpu_broker_deletes_held)', legend: 'held' }],
        }),
        number({
          title: 'Worked and not metered',
          description: 'Allocations with nodes at work that no open usage span covers. Must be 0.',
          unit: 'short',
          width: 6,
          thresholds: BAD_ABOVE_ZERO,
          runbook: 'metering-gap',
          queries: [{ expr: 'max(gpu_broker_metering_gap_allocations)', legend: 'allocations' }],
        }),
        number({
          title: 'Sweep findings',
          description: 'What the last sweeps found that is not as it should be.',
          unit: 'short',
          width: 6,
          thresholds: BAD_ABOVE_ZERO,
          runbook: 'sweep-finding',
          queries: [{ expr: 'sum(max by (provider, kind) (gpu_broker_sweep_findings))', legend: 'findings' }],
        }),
      ],
    },
  ],
}
