/**
 * Preloaded before the broker (`node --import`), it sends the broker's spans to a collector over OTLP/HTTP. Where to, and
 * with which headers, stands in OpenTelemetry's own variables: OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS.
 */
import { trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'

const provider = new TracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'gpu-broker' }),
  // Whoever asks decides what is recorded of what follows; what begins in the broker is recorded whole.
  sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(1) }),
  // An object, and not the exporter itself: what is handed over otherwise is dropped without a word.
  spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter(), scheduledDelayMillis: 1_000 })],
})

trace.setGlobalTracerProvider(provider)

// What is in hand when the broker is told to stop; of its last second some may be lost.
process.once('SIGTERM', () => void provider.forceFlush())
