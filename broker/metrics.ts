/**
 * The only file that imports prom-client: upstream renamed it (`@prometheus-io/client`), and the swap is this import.
 * What there is to count stands in `broker/metrics/`.
 */
import { Counter, Gauge, Histogram, type Metric, type OpenMetricsContentType, Registry } from 'prom-client'
import { DEFINITIONS } from './metrics/all.ts'
import type { Definition } from './metrics/definition.ts'

export interface Exposition {
  readonly contentType: string
  readonly text: string
}

/** A histogram that remembers the trace of what it saw last in each bucket. */
export interface TracedHistogram<Label extends string> {
  /** @param traceId null where the work belongs to no trace */
  observe(labels: Readonly<Record<Label, string | number>>, value: number, traceId: string | null): void
}

type Instrument<D> =
  D extends Definition<infer Type, infer Label>
    ? Type extends 'counter'
      ? Counter<Label>
      : Type extends 'gauge'
        ? Gauge<Label>
        : Type extends 'histogram'
          ? Histogram<Label>
          : TracedHistogram<Label>
    : never

export type Instruments = { readonly [Name in keyof typeof DEFINITIONS]: Instrument<(typeof DEFINITIONS)[Name]> }

export interface Metrics extends Instruments {
  /** @param accept the scraper's `Accept`: OpenMetrics if it names it, else Prometheus' own text */
  read(accept: string): Promise<Exposition>
}

interface Registries {
  readonly plain: Registry
  readonly open: Registry<OpenMetricsContentType>
}

/** A registry of its own for each broker, so that several can live in one process (tests, replicas). */
export function createMetrics(): Metrics {
  const registries = { plain: new Registry(), open: new Registry<OpenMetricsContentType>() }
  registries.open.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
  const instruments = Object.fromEntries(
    Object.entries<Definition>(DEFINITIONS).map(([name, definition]) => [name, instrument(definition, registries)]),
  ) as unknown as Instruments // one for each name, of its definition's type
  return {
    ...instruments,
    async read(accept) {
      const registry = accept.includes('application/openmetrics-text') ? registries.open : registries.plain
      return { contentType: registry.contentType, text: await registry.metrics() }
    },
  }
}

function instrument(definition: Definition, { plain, open }: Registries): object {
  const { type, name, help, labels: labelNames, buckets } = definition
  const config = { name, help, labelNames: [...labelNames], registers: [open] }
  if (type === 'counter') return alsoPlain(new Counter(config), name, plain)
  if (type === 'gauge') return alsoPlain(new Gauge(config), name, plain)
  if (buckets === undefined) throw new Error(`${name} has no buckets`)
  if (type === 'histogram') return alsoPlain(new Histogram({ ...config, buckets: [...buckets] }), name, plain)
  return traced(alsoPlain(new Histogram({ ...config, buckets: [...buckets], enableExemplars: true }), name, plain))
}

/**
 * Shows a metric in the plain registry too, under its whole name: writing OpenMetrics takes `_total` off the counter
 * itself for good, and prom-client refuses exemplars in a plain registry, where it leaves them out anyway.
 */
function alsoPlain<M extends { get(): Promise<object> }>(metric: M, name: string, plain: Registry): M {
  const shown = { name, get: async () => ({ ...(await metric.get()), name }) }
  plain.registerMetric(shown as unknown as Metric) // `name` and `get` are all that a registry uses
  return metric
}

const traced = (histogram: Histogram): TracedHistogram<string> => ({
  observe: (labels, value, traceId) =>
    histogram.observe({ labels, value, ...(traceId !== null && { exemplarLabels: { trace_id: traceId } }) }),
})
