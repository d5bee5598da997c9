/** `webhooks create | list | get | delete | rotate-secret | deliveries | redeliver`: endpoints that events are sent to. */
import type { Command } from 'commander'
import type { EventType } from '../../../shared/event.ts'
import { Delivery, Webhook, type WebhookWithSecret } from '../../../shared/webhook.ts'
import { collect } from '../../client/collect.ts'
import type { Io } from '../io.ts'
import { instant, orNone } from '../screen/words.ts'
import type { Text } from '../text/text.ts'
import type { Run } from './command-context.ts'
import { type Column, factsIn, tableIn } from './listing.ts'
import { type LimitOption, addLimit, repeated } from './options.ts'
import { defined } from './placement-options.ts'

const COLUMNS: readonly Column<Webhook>[] = [
  { head: 'webhook', value: (one) => one.id },
  { head: 'url', value: (one) => one.url },
  { head: 'status', value: (one) => one.status },
  { head: 'events', value: (one, t) => typesText(one, t) },
  { head: 'last success (UTC)', value: (one) => instant(one.lastSuccessAt) },
  { head: 'description', value: (one) => one.description ?? '' },
]

const DELIVERIES: readonly Column<Delivery>[] = [
  { head: 'delivery', value: (one) => one.id },
  { head: '#', align: 'right', value: (one) => one.sequence },
  { head: 'event', value: (one) => one.eventType },
  { head: 'status', value: (one) => one.status },
  { head: 'attempts', align: 'right', value: (one) => one.attempts },
  { head: 'answered', align: 'right', value: (one) => orNone(one.responseStatus?.toString() ?? null) },
  { head: 'last attempt (UTC)', value: (one) => instant(one.lastAttemptAt) },
  { head: 'next attempt (UTC)', value: (one) => instant(one.nextAttemptAt) },
  { head: 'last error', value: (one) => one.error ?? '' },
]

const typesText = ({ types }: Webhook, t: Text): string => types?.join(', ') ?? t('all')

const webhookText = (one: Webhook, t: Text): string =>
  factsIn(t, [
    ['webhook', one.id],
    ['url', one.url],
    ['status', one.status],
    ['events', typesText(one, t)],
    ['description', one.description],
    ['last success (UTC)', one.lastSuccessAt === null ? null : instant(one.lastSuccessAt)],
    ['both secrets until (UTC)', one.previousSecretUntil === null ? null : instant(one.previousSecretUntil)],
  ])

const withSecret = (one: WebhookWithSecret, t: Text): string =>
  `${webhookText(one, t)}${factsIn(t, [['secret', one.secret]])}${t('The secret is shown this once.')}\n`

interface CreateOptions {
  readonly types?: readonly string[]
  readonly description?: string
}

export const describeCreate = (command: Command, { t }: Io): Command =>
  command
    .description(t('have events sent to an endpoint from now on'))
    .argument('<url>', t('https, and on the public internet'))
    .option('--types <types>', t('only these, such as allocation.active (repeatable)'), repeated)
    .option('--description <text>')

export const createWebhook: Run<CreateOptions> = async ({ client, options, answer, t }, url = '') => {
  const types = options.types as readonly EventType[] | undefined // the broker names one that there is not
  const request = { url, ...defined({ types: types && [...types], description: options.description }) }
  answer(await client.createWebhook(request), (one) => withSecret(one, t))
  return undefined
}

export const describeList = (command: Command, { t }: Io): Command =>
  command.description(t('list the endpoints that events are sent to'))

export const listWebhooks: Run<object> = async ({ client, answerList }) => {
  answerList(await collect(client.listWebhooks()), { schema: Webhook, columns: COLUMNS, whenEmpty: 'No webhooks.' })
  return undefined
}

const withId = (command: Command): Command => command.argument('<id>')

export const describeGet = (command: Command, { t }: Io): Command =>
  withId(command.description(t('look at one webhook')))

export const getWebhook: Run<object> = async ({ client, answer, t }, id = '') => {
  answer(await client.getWebhook(id), (one) => webhookText(one, t))
  return undefined
}

export const describeDelete = (command: Command, { t }: Io): Command =>
  withId(command.description(t('send no more events to an endpoint')))

export const deleteWebhook: Run<object> = async ({ client, answer, t }, id = '') => {
  await client.deleteWebhook(id)
  answer({ deleted: id }, () => `${t('Deleted: {id}.', { id })}\n`)
  return undefined
}

export const describeRotate = (command: Command, { t }: Io): Command =>
  withId(command.description(t('give a webhook a new secret; for 24 h deliveries carry the signatures of both')))

export const rotateSecret: Run<object> = async ({ client, answer, t }, id = '') => {
  answer(await client.rotateWebhookSecret(id), (one) => withSecret(one, t))
  return undefined
}

export const describeDeliveries = (command: Command, io: Io): Command =>
  addLimit(withId(command.description(io.t('list what was sent to a webhook, and what became of it'))), io)

export const listDeliveries: Run<LimitOption> = async ({ client, options, answerList }, id = '') => {
  answerList(await collect(client.listDeliveries(id), options.limit), {
    schema: Delivery,
    columns: DELIVERIES,
    whenEmpty: 'Nothing was sent yet.',
  })
  return undefined
}

export const describeRedeliver = (command: Command, { t }: Io): Command =>
  withId(command.description(t('send an event to a webhook once more'))).argument('<delivery>')

export const redeliver: Run<object> = async ({ client, answer, t }, id = '', deliveryId = '') => {
  answer(await client.redeliver(id, deliveryId), (one) => tableIn(t, DELIVERIES, [one]))
  return undefined
}
