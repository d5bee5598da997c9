/** Events on their way to who wants to know. */
import { counter, gauge, histogram } from './definition.ts'

export const EVENTS = {
  eventStreams: gauge({
    name: 'gpu_broker_event_streams',
    help: 'Streams of events that are open at this replica.',
    unit: 'one',
    next: 'Many streams of one client: it opens without closing.',
  }),
  eventLagSeconds: histogram({
    name: 'gpu_broker_event_lag_seconds',
    help: 'From the recorded instant of an event until this replica hands it to its streams.',
    unit: 'seconds',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    next: 'Up to half a second is how often another replica’s events are looked for; above that the database or the event loop.',
  }),
  webhookDeliveries: counter({
    name: 'gpu_broker_webhook_deliveries_total',
    help: 'Attempts to send an event to a webhook: delivered, failed (to be tried again) or parked (given up).',
    unit: 'one',
    labels: ['outcome'],
    next: '`GET /v1/webhooks/{id}/deliveries`: status and error of each.',
  }),
  webhookDeliverySeconds: histogram({
    name: 'gpu_broker_webhook_delivery_seconds',
    help: 'From the recorded instant of an event until the endpoint of a webhook accepted it.',
    unit: 'seconds',
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200, 86_400],
    next: '`gpu_broker_webhook_retrying` (an endpoint refuses) and `gpu_broker_webhook_events_behind` (one is slow).',
  }),
  webhookRetrying: gauge({
    name: 'gpu_broker_webhook_retrying',
    help: 'Deliveries that failed and are to be tried again.',
    unit: 'one',
    next: 'Which endpoint: `GET /v1/webhooks` shows failures in a row.',
  }),
  webhookBehind: gauge({
    name: 'gpu_broker_webhook_events_behind',
    help: 'How many events of the log the slowest webhook has not come to yet.',
    unit: 'events',
    next: 'As `gpu_broker_webhook_retrying`; growing on all endpoints: the worker, `gpu_broker_worker_errors_total`.',
  }),
}
