/**
 * The only file that imports prom-client: upstream renamed it (`@prometheus-io/client`), and the swap is this import.
 * Names follow Prometheus' conventions with the prefix `gpu_broker_`; labels are bounded sets, never ids of rows.
 */
import { Counter, Gauge, Histogram, type OpenMetricsContentType, Registry } from 'prom-client'

export interface Exposition {
  readonly contentType: string
  readonly text: string
}

export interface Metrics {
  /** @param accept the scraper's `Accept`: OpenMetrics if it names it, else Prometheus' own text */
  read(accept: string): Promise<Exposition>
  readonly requestSeconds: Histogram<'route' | 'method' | 'status'>
  readonly decisions: Counter<'kind' | 'cluster'>
  readonly groupMembers: Histogram
  readonly commitSeconds: Histogram
  readonly providerCallSeconds: Histogram<'provider' | 'operation' | 'outcome'>
  readonly circuitState: Gauge<'provider' | 'kind'>
  readonly retryBudget: Gauge<'provider'>
  readonly providerRetries: Counter<'provider' | 'operation'>
  readonly keyRefused: Gauge<'provider'>
  readonly providerRate: Gauge<'provider'>
  readonly providerInFlight: Gauge<'provider'>
  readonly providerMaxInFlight: Gauge<'provider'>
  readonly providerWaiting: Gauge<'provider'>
  readonly allocations: Gauge<'status'>
  readonly quarantineNodes: Gauge<'cluster'>
  readonly quarantineOldestSeconds: Gauge<'cluster'>
  readonly lookSeconds: Histogram
  readonly sweepFindings: Gauge<'provider' | 'kind'>
  readonly sweepHeld: Gauge<'provider'>
  readonly workerErrors: Counter<'worker'>
  readonly eventStreams: Gauge
  readonly webhookDeliveries: Counter<'outcome'>
  readonly webhookRetrying: Gauge
  readonly webhookBehind: Gauge
  readonly eventLagSeconds: Histogram
  readonly promisesSlipped: Counter<'cause'>
}

/** A registry of its own for each broker, so that several can live in one process (tests, replicas). */
export function createMetrics(): Metrics {
  const plain = new Registry()
  const open = new Registry<OpenMetricsContentType>()
  open.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
  const registers = [plain, open]
  return {
    async read(accept) {
      const registry = accept.includes('application/openmetrics-text') ? open : plain
      return { contentType: registry.contentType, text: await registry.metrics() }
    },
    requestSeconds: new Histogram({
      name: 'gpu_broker_http_request_duration_seconds',
      help: 'Time to answer an API request, by route, method and status.',
      labelNames: ['route', 'method', 'status'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers,
    }),
    decisions: new Counter({
      name: 'gpu_broker_decisions_total',
      help: 'Decisions committed, by kind and chosen cluster (none where there is none).',
      labelNames: ['kind', 'cluster'],
      registers,
    }),
    groupMembers: new Histogram({
      name: 'gpu_broker_commit_members',
      help: 'Requests that shared one commit.',
      buckets: [1, 2, 4, 8, 16, 32, 64],
      registers,
    }),
    commitSeconds: new Histogram({
      name: 'gpu_broker_commit_duration_seconds',
      help: 'Time of one transaction under the calendar lock, waiting for the lock included.',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers,
    }),
    providerCallSeconds: new Histogram({
      name: 'gpu_broker_provider_call_duration_seconds',
      help: 'Time of one call of the provider contract; outcome is ok or the kind of error.',
      labelNames: ['provider', 'operation', 'outcome'],
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
    circuitState: new Gauge({
      name: 'gpu_broker_circuit_state',
      help: 'Circuit of a provider and kind of call: 0 closed, 1 half-open, 2 open.',
      labelNames: ['provider', 'kind'],
      registers,
    }),
    retryBudget: new Gauge({
      name: 'gpu_broker_provider_retry_budget',
      help: 'Repeated attempts that the broker may still make at a provider; calls earn it, repetitions spend it.',
      labelNames: ['provider'],
      registers,
    }),
    providerRetries: new Counter({
      name: 'gpu_broker_provider_retries_total',
      help: 'Attempts that repeated a call of the provider contract which surely had no effect.',
      labelNames: ['provider', 'operation'],
      registers,
    }),
    providerRate: new Gauge({
      name: 'gpu_broker_provider_rate_per_second',
      help: 'Calls per second that a provider gets at most now: the configured rate, less after it said that it is too much.',
      labelNames: ['provider'],
      registers,
    }),
    providerInFlight: new Gauge({
      name: 'gpu_broker_provider_calls_in_flight',
      help: 'HTTP calls to a provider that wait for its answer.',
      labelNames: ['provider'],
      registers,
    }),
    providerMaxInFlight: new Gauge({
      name: 'gpu_broker_provider_calls_in_flight_max',
      help: 'HTTP calls to a provider that may wait for its answer at once.',
      labelNames: ['provider'],
      registers,
    }),
    providerWaiting: new Gauge({
      name: 'gpu_broker_provider_calls_waiting',
      help: 'HTTP calls to a provider that wait for their turn.',
      labelNames: ['provider'],
      registers,
    }),
    keyRefused: new Gauge({
      name: 'gpu_broker_provider_key_refused',
      help: '1 while a provider does not accept the broker’s credentials, else 0.',
      labelNames: ['provider'],
      registers,
    }),
    allocations: new Gauge({
      name: 'gpu_broker_allocations',
      help: 'Allocations in each status that is not final.',
      labelNames: ['status'],
      registers,
    }),
    quarantineNodes: new Gauge({
      name: 'gpu_broker_quarantine_nodes',
      help: 'Nodes whose release the operator has not confirmed in time, by cluster.',
      labelNames: ['cluster'],
      registers,
    }),
    quarantineOldestSeconds: new Gauge({
      name: 'gpu_broker_quarantine_oldest_seconds',
      help: 'Age of the oldest quarantine of a cluster.',
      labelNames: ['cluster'],
      registers,
    }),
    lookSeconds: new Histogram({
      name: 'gpu_broker_look_duration_seconds',
      help: 'Time of one look of the reconciler at one allocation, provider calls included.',
      buckets: [0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60],
      registers,
    }),
    sweepFindings: new Gauge({
      name: 'gpu_broker_sweep_findings',
      help: 'What the last sweep of a provider found that is not as it should be, by kind.',
      labelNames: ['provider', 'kind'],
      registers,
    }),
    sweepHeld: new Gauge({
      name: 'gpu_broker_sweep_held',
      help: 'Nodes that sweeps would delete at a provider and may not: frozen, held, or beyond the bound per hour.',
      labelNames: ['provider'],
      registers,
    }),
    workerErrors: new Counter({
      name: 'gpu_broker_worker_errors_total',
      help: 'Rounds of a worker that ended in an error that was not a provider’s.',
      labelNames: ['worker'],
      registers,
    }),
    promisesSlipped: new Counter({
      name: 'gpu_broker_promises_slipped_total',
      help: 'Promised starts made later, by cause; unexplained is a fault of the broker and stays 0.',
      labelNames: ['cause'],
      registers,
    }),
    eventStreams: new Gauge({
      name: 'gpu_broker_event_streams',
      help: 'Streams of events that are open at this replica.',
      registers,
    }),
    webhookDeliveries: new Counter({
      name: 'gpu_broker_webhook_deliveries_total',
      help: 'Attempts to send an event to a webhook: delivered, failed (to be tried again) or parked (given up).',
      labelNames: ['outcome'],
      registers,
    }),
    webhookRetrying: new Gauge({
      name: 'gpu_broker_webhook_retrying',
      help: 'Deliveries that failed and are to be tried again.',
      registers,
    }),
    webhookBehind: new Gauge({
      name: 'gpu_broker_webhook_events_behind',
      help: 'How many events of the log the slowest webhook has not come to yet.',
      registers,
    }),
    eventLagSeconds: new Histogram({
      name: 'gpu_broker_event_lag_seconds',
      help: 'From the recorded instant of an event until this replica hands it to its streams.',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
  }
}
