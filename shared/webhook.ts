/** Endpoints that are sent events, signed as the Standard Webhooks specification says, and what became of each sending. */
import { z } from 'zod'
import { EVENT_TYPES, NamedEventType } from './event.ts'
import { EventId, prefixed } from './ids.ts'
import { Instant, InstantOrNull, lineOfText } from './text.ts'

export const WebhookId = prefixed('whk', 'a webhook')
export const DeliveryId = prefixed('dlv', 'a delivery')

const MAX_URL_CHARACTERS = 2_048

const Url = z
  .string()
  .max(MAX_URL_CHARACTERS)
  .regex(/^[^\p{Cc} ]*$/u, 'must not contain spaces or control characters')
  .refine((text) => /^https?:\/\/[^/]/i.test(text) && URL.canParse(text), 'must be an https URL')
  .refine((text) => {
    const url = URL.parse(text)
    return url === null || (url.username === '' && url.password === '')
  }, 'must hold no user name or password: they would be shown to whoever may read it')
  .meta({
    description: 'Where events are sent to: https, and on the public internet.',
    format: 'uri',
    pattern: '^https?://',
    example: 'https://example.org/hook',
  })

const Types = z
  .array(NamedEventType)
  .min(1)
  .max(EVENT_TYPES.length)
  .refine((types) => new Set(types).size === types.length, 'must name each only once')
  .meta({ description: 'Only these types, each once. Default: all.' })

export const WebhookRequest = z
  .strictObject({ url: Url, types: Types.optional(), description: lineOfText(500).optional() })
  .meta({ id: 'WebhookRequest' })
export type WebhookRequest = z.infer<typeof WebhookRequest>

export const Webhook = z
  .strictObject({
    id: WebhookId,
    url: z.string(),
    types: z.array(z.enum(EVENT_TYPES)).nullable().meta({ description: 'Null: all.' }),
    description: z.string().nullable(),
    status: z.enum(['healthy', 'failing']).meta({ description: '`failing` since its last delivery failed.' }),
    /** Until when deliveries carry the signature of the secret before, too. */
    previousSecretUntil: InstantOrNull,
    lastSuccessAt: InstantOrNull,
    createdAt: Instant,
    updatedAt: Instant,
  })
  .meta({ id: 'Webhook' })
export type Webhook = z.infer<typeof Webhook>

export const WebhookWithSecret = z
  .strictObject({
    ...Webhook.shape,
    secret: z
      .string()
      .regex(/^whsec_/)
      .meta({
        description: 'Shown this once: `whsec_` and the key in base64.',
        example: 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=',
      }),
  })
  .meta({ id: 'WebhookWithSecret' })
export type WebhookWithSecret = z.infer<typeof WebhookWithSecret>

export const DELIVERY_STATUSES = ['retrying', 'delivered', 'parked'] as const
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number]

export const Delivery = z
  .strictObject({
    id: DeliveryId,
    webhookId: WebhookId,
    eventId: EventId,
    eventType: z.string(),
    sequence: z.int().min(1),
    status: z.enum(DELIVERY_STATUSES).meta({ description: '`parked`: given up, until somebody asks for it again.' }),
    attempts: z.int().min(0),
    responseStatus: z.int().nullable().meta({ description: 'Of the last attempt; null when there was no answer.' }),
    error: z.string().nullable(),
    createdAt: Instant,
    lastAttemptAt: InstantOrNull,
    nextAttemptAt: InstantOrNull,
  })
  .meta({ id: 'Delivery' })
export type Delivery = z.infer<typeof Delivery>
