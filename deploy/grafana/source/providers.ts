/** The operators, seen from the broker: whether they answer, how fast, and what sweeps find there. */
import type { Dashboard } from './dashboard.ts'
import { BAD_ABOVE_ZERO, bars, graph, stacked, states } from './panel.ts'

const CALLS = 'gpu_broker_provider_call_duration_seconds'
const HERE = 'provider=~"$provider"'

export const PROVIDERS: Dashboard = {
  name: 'providers',
  title: 'gpu-broker / Operators',
  description: 'Calls, errors, circuits and findings of each operator.',
  variables: [{ name: 'provider', of: 'gpu_broker_circuit_state' }],
  rows: [
    {
      title: 'Is it well?',
      panels: [
        states({
          title: 'Circuits',
          description:
            'One for each kind of call. Open: at least half of the calls of a minute failed; one each 10 s tries again.',
          unit: 'none',
          width: 12,
          runbook: 'circuit-open',
          names: {
            0: { text: 'closed', color: 'green' },
            1: { text: 'half-open', color: 'yellow' },
            2: { text: 'open', color: 'red' },
          },
          queries: [
            { expr: `max by (provider, kind) (gpu_broker_circuit_state{${HERE}})`, legend: '{{provider}} {{kind}}' },
          ],
        }),
        graph({
          title: 'Last good answer',
          description:
            'Age of the last call that succeeded, of the replica that has the youngest. Each is called every 10 s; pages at 45 s.',
          unit: 's',
          width: 6,
          thresholds: [{ from: 45, color: 'red' }],
          runbook: 'operator-down',
          queries: [
            { expr: `min by (provider) (gpu_broker_provider_last_success_seconds{${HERE}})`, legend: '{{provider}}' },
          ],
        }),
        bars({
          title: 'Key refused',
          description: '1 while an operator does not accept the broker’s credentials.',
          unit: 'none',
          width: 6,
          max: 1,
          thresholds: BAD_ABOVE_ZERO,
          runbook: 'key-refused',
          queries: [{ expr: `max by (provider) (gpu_broker_provider_key_refused{${HERE}})`, legend: '{{provider}}' }],
        }),
      ],
    },
    {
      title: 'Calls',
      panels: [
        stacked({
          title: 'Calls by operator',
          description: 'Calls of the provider contract, a repeated one counted once.',
          unit: 'ops',
          queries: [
            { expr: `sum by (provider) (rate(${CALLS}_count{${HERE}}[$__rate_interval]))`, legend: '{{provider}}' },
          ],
        }),
        graph({
          title: 'Failed calls',
          description: 'Share of the calls that did not end well, whatever the reason.',
          unit: 'percentunit',
          max: 1,
          thresholds: [{ from: 0.5, color: 'red' }],
          runbook: 'circuit-open',
          queries: [
            {
              expr: `1 - (sum by (provider) (rate(${CALLS}_count{${HERE}, outcome="ok"}[$__rate_interval])) or sum by (provider) (rate(${CALLS}_count{${HERE}}[$__rate_interval])) * 0) / sum by (provider) (rate(${CALLS}_count{${HERE}}[$__rate_interval]))`,
              legend: '{{provider}}',
            },
          ],
        }),
        stacked({
          title: 'Failures by outcome',
          description:
            'In the broker’s nine kinds of failure. unauthenticated: the key; quota-exceeded and out-of-capacity: the account and the stock; malformed: an API that has changed.',
          unit: 'ops',
          queries: [
            {
              expr: `sum by (provider, outcome) (rate(${CALLS}_count{${HERE}, outcome!="ok"}[$__rate_interval]))`,
              legend: '{{provider}} {{outcome}}',
            },
          ],
        }),
        graph({
          title: 'Duration, 99th percentile',
          description: 'By operator and operation, waiting for a turn included.',
          unit: 's',
          width: 12,
          queries: [
            {
              expr: `histogram_quantile(0.99, sum by (provider, operation, le) (rate(${CALLS}_bucket{${HERE}}[$__rate_interval])))`,
              legend: '{{provider}} {{operation}}',
            },
          ],
        }),
        graph({
          title: 'Duration, median',
          description: 'By operator and operation.',
          unit: 's',
          width: 12,
          queries: [
            {
              expr: `histogram_quantile(0.5, sum by (provider, operation, le) (rate(${CALLS}_bucket{${HERE}}[$__rate_interval])))`,
              legend: '{{provider}} {{operation}}',
            },
          ],
        }),
      ],
    },
    {
      title: 'Limits',
      panels: [
        graph({
          title: 'Retry budget',
          description: 'Repetitions that are left. Below 1 a failed call waits for the next look.',
          unit: 'short',
          width: 6,
          thresholds: [],
          runbook: 'retry-budget-empty',
          queries: [{ expr: `min by (provider) (gpu_broker_provider_retry_budget{${HERE}})`, legend: '{{provider}}' }],
        }),
        graph({
          title: 'Repeated calls',
          description: 'Attempts that repeated a call which surely had no effect.',
          unit: 'ops',
          width: 6,
          queries: [
            {
              expr: `sum by (provider, operation) (rate(gpu_broker_provider_retries_total{${HERE}}[$__rate_interval]))`,
              legend: '{{provider}} {{operation}}',
            },
          ],
        }),
        graph({
          title: 'Calls in flight, of those allowed',
          description: 'At 100 % the operator is slow and calls queue up.',
          unit: 'percentunit',
          width: 6,
          max: 1,
          queries: [
            {
              expr: `max by (provider) (gpu_broker_provider_calls_in_flight{${HERE}} / gpu_broker_provider_calls_in_flight_max)`,
              legend: '{{provider}}',
            },
          ],
        }),
        graph({
          title: 'Calls that wait for their turn',
          description: 'For the rate, or for a call in flight to end.',
          unit: 'short',
          width: 6,
          queries: [{ expr: `sum by (provider) (gpu_broker_provider_calls_waiting{${HERE}})`, legend: '{{provider}}' }],
        }),
        graph({
          title: 'Calls per second that are allowed',
          description: 'Of the slowest replica. Below the configured rate after the operator said that it is too much.',
          unit: 'ops',
          width: 12,
          queries: [
            { expr: `min by (provider) (gpu_broker_provider_rate_per_second{${HERE}})`, legend: '{{provider}}' },
          ],
        }),
        graph({
          title: 'Duration of a look at an allocation',
          description: 'The reconciler’s whole look, calls included.',
          unit: 's',
          width: 12,
          queries: [0.5, 0.99].map((quantile) => ({
            expr: `histogram_quantile(${quantile}, sum by (le) (rate(gpu_broker_look_duration_seconds_bucket[$__rate_interval])))`,
            legend: `p${quantile * 100}`,
          })),
        }),
      ],
    },
    {
      title: 'Sweeps',
      panels: [
        graph({
          title: 'Findings',
          description:
            'orphan: ours and not wanted; missing: wanted and not listed; leftover: others’, or left beside nodes; unknown: our tag, and no allocation.',
          unit: 'short',
          width: 12,
          runbook: 'sweep-finding',
          queries: [
            {
              expr: `max by (provider, kind) (gpu_broker_sweep_findings{${HERE}})`,
              legend: '{{provider}} {{kind}}',
            },
          ],
        }),
        graph({
          title: 'Deletions that wait for a person',
          description: 'Frozen, held, or beyond the bound per hour.',
          unit: 'short',
          width: 12,
          runbook: 'sweep-held',
          queries: [{ expr: `max by (provider) (gpu_broker_sweep_held{${HERE}})`, legend: '{{provider}}' }],
        }),
      ],
    },
  ],
}
