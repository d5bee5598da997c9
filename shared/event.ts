/**
 * Events: what happened, in the installation's one order. On the wire they are CloudEvents 1.0 in structured JSON. Their
 * types carry a prefix there; in the code, and where a caller names them, they are also known without it.
 */
import { z } from 'zod'
import { EventId } from './ids.ts'
import { Instant } from './text.ts'

export const EVENT_PREFIX = 'kr.gpubroker.'

export const EVENT_TYPES = [
  'allocation.waitlisted',
  'allocation.scheduled',
  'allocation.provisioning',
  'allocation.active',
  'allocation.releasing',
  'allocation.released',
  'allocation.preempting',
  'allocation.failed',
  'allocation.cancelled',
  'allocation.relocated',
  'allocation.extended',
  'allocation.shrunk',
  'allocation.ending',
  'allocation.degraded',
  'allocation.promise-slipped',
  'node.failed',
  'node.replaced',
  'node.quarantined',
  'node.gone',
  'cluster.drained',
  'cluster.drain-lifted',
  'cluster.suspended',
  'cluster.resumed',
  'cluster.capacity-changed',
  'provider.suspended',
  'provider.resumed',
  'provider.frozen',
  'provider.unfrozen',
  'provider.circuit-opened',
  'provider.circuit-closed',
  'provider.finding',
  'approval.put',
  'approval.revoked',
] as const

export type EventType = (typeof EVENT_TYPES)[number]

/** As events carry it. */
export const fullType = (type: EventType): string => `${EVENT_PREFIX}${type}`

/** A type as a caller names it, with the prefix or without; what comes out has none. */
export const NamedEventType = z
  .string()
  .transform((text) => (text.startsWith(EVENT_PREFIX) ? text.slice(EVENT_PREFIX.length) : text))
  .pipe(z.enum(EVENT_TYPES, { error: (issue) => `names no type of event: ${String(issue.input).slice(0, 64)}` }))
  .meta({
    description: `A type of event, with \`${EVENT_PREFIX}\` in front or without it.`,
    example: 'allocation.active',
    override: { type: 'string' },
  })

export const CloudEvent = z
  .strictObject({
    specversion: z.literal('1.0'),
    id: EventId,
    source: z.string().meta({ description: 'The installation: `urn:gpu-broker:<installation id>`.' }),
    type: z.enum(EVENT_TYPES.map(fullType)),
    subject: z.string().meta({ description: 'What it happened to, as a path below `/v1/`.' }),
    time: Instant,
    datacontenttype: z.literal('application/json'),
    // An integer, as CloudEvents' attributes may be: consumers compare and count it.
    sequence: z.int().min(1).meta({ description: 'Its number in the installation’s whole log, which has no gaps.' }),
    traceparent: z.string().optional().meta({
      description:
        'W3C trace context of what it came of (CloudEvents’ distributed tracing); left out where there is none.',
      example: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    }),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Event', description: 'A CloudEvent (1.0, structured JSON).' })
export type CloudEvent = z.infer<typeof CloudEvent>
