import { expect } from 'chai'
import { after, afterEach, before, beforeEach, describe, it } from 'mocha'
import type { App } from '../../broker/app/app.ts'
import { createCalendarCache } from '../../broker/app/calendar-cache.ts'
import type { Command } from '../../broker/app/command.ts'
import { install } from '../../broker/app/install.ts'
import {
  createWebhook,
  getWebhook,
  listDeliveries,
  listWebhooks,
  redeliver,
  rotateSecret,
  MAX_WEBHOOKS,
} from '../../broker/app/webhooks.ts'
import { createWriter } from '../../broker/app/writer.ts'
import { DEFAULT_POLICY } from '../../broker/core/placement/policy.ts'
import { createMetrics } from '../../broker/metrics.ts'
import { createPoster } from '../../broker/outbound/post.ts'
import { openLanes, type WebhookContext } from '../../broker/workers/webhooks.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/time.ts'
import type { Delivery } from '../../shared/webhook.ts'
import { until } from '../support/api-client.ts'
import { START_WITHIN_MS } from '../support/broker.ts'
import { ENGINES, openTestDatabase, type TestDatabase } from '../support/database.ts'
import { refusalFrom } from '../support/refusal-of.ts'
import { isSignedWith, startReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts'

const command = (organizationId: string | null = null): Command => ({
  caller: { clientId: 'someone', scopes: new Set(['webhooks:write']), organizationId, providerId: null },
  action: 'createWebhook',
  resource: 'webhooks',
  requestId: 'req-1',
  idempotency: null,
  ifMatch: null,
  onlyIfAbsent: false,
  traceparent: null,
})
const PAGE = { limit: 100, after: null }
const LANES = 100

for (const engine of ENGINES) {
  describe(`sending events to webhooks, on ${engine}`, () => {
    let database: TestDatabase
    let app: App
    let now = Date.parse('2026-12-01T00:00:00Z')
    const receivers: WebhookReceiver[] = []
    before(async function start() {
      this.timeout(START_WITHIN_MS)
      database = await openTestDatabase(engine)
      const installationId = await install(database, [], now)
      app = appOf(installationId)
    })
    after(() => database.close())
    beforeEach(() => database.queries.deleteFrom('webhooks').execute())
    afterEach(async () => {
      for (const receiver of receivers.splice(0)) await receiver.close()
    })

    const appOf = (installationId: string): App => {
      const cache = createCalendarCache(database, () => now)
      const writer = createWriter({
        database,
        cache,
        policy: DEFAULT_POLICY,
        now: () => now,
        beforeCommit: async () => {},
        observe: () => {},
      })
      const findAllocation = async () => undefined
      return { database, writer, cache, findAllocation, policy: DEFAULT_POLICY, installationId, now: () => now }
    }
    const contextOf = (of: App, signal = new AbortController().signal): WebhookContext => ({
      app: of,
      post: createPoster({ allowPrivate: true }),
      metrics: createMetrics(),
      signal,
    })
    const sendDue = async (of: App = app): Promise<void> => {
      await Promise.all(await openLanes(contextOf(of), LANES))
    }
    const happens = (organizationId: string): Promise<void> =>
      app.writer.run({
        needs: {},
        decide: (draft) =>
          draft.event({ type: 'approval.put', subject: `approvals/${organizationId}`, organizationId, data: {} }),
      })
    const receiver = async (): Promise<WebhookReceiver> => {
      const started = await startReceiver()
      receivers.push(started)
      return started
    }
    const deliveries = async (id: string): Promise<readonly Delivery[]> =>
      (await listDeliveries(app, command().caller, id, PAGE)).items

    it('gives an organisation’s endpoint that organisation’s events, and shows it to nobody else', async () => {
      const endpoint = await receiver()
      const { body: own } = await createWebhook(app, command('kaist'), { url: endpoint.url })
      const { body: all } = await createWebhook(app, command(), { url: 'http://127.0.0.1:1/' })
      await happens('snu')
      await happens('kaist')
      await sendDue()
      expect(endpoint.received.map(({ event }) => event.subject)).to.deep.equal(['approvals/kaist'])
      const seenBy = async (organizationId: string | null) =>
        (await listWebhooks(app, command(organizationId).caller, PAGE)).items.map(({ id }) => id)
      expect(await seenBy('kaist')).to.deep.equal([own.id])
      expect(await seenBy('snu')).to.deep.equal([])
      expect(await seenBy(null)).to.deep.equal([all.id, own.id])
      expect((await refusalFrom(getWebhook(app, command('snu').caller, own.id))).code).to.equal('not-found')
      expect((await refusalFrom(getWebhook(app, command('kaist').caller, all.id))).code).to.equal('not-found')
    })

    it('takes no more endpoints than can each have a lane', async () => {
      const make = () => createWebhook(app, command(), { url: 'http://127.0.0.1:1/' })
      const made = await Promise.allSettled(Array.from({ length: MAX_WEBHOOKS + 2 }, make)) // at once, so none has seen the others
      expect(made.filter(({ status }) => status === 'fulfilled')).to.have.length(MAX_WEBHOOKS)
      expect((await refusalFrom(make())).code).to.equal('too-many-webhooks')
      const [gone] = await database.queries.selectFrom('webhooks').select('id').limit(1).execute()
      await database.queries
        .deleteFrom('webhooks')
        .where('id', '=', gone?.id ?? '')
        .execute()
      await make()
    })

    it('parks a delivery after three days of failures, and sends it when somebody asks for it again', async () => {
      const endpoint = await receiver()
      endpoint.answer(500)
      const { body } = await createWebhook(app, command(), { url: endpoint.url })
      await happens('kaist')
      const beganAt = now
      for (let round = 0; (await deliveries(body.id))[0]?.status !== 'parked'; round += 1) {
        if (round > 20) throw new Error('it is never parked')
        await sendDue()
        const { nextAttemptAt = null } = (await deliveries(body.id))[0] ?? {}
        // An endpoint that fails is left alone for up to a minute.
        now = Math.max(nextAttemptAt === null ? 0 : Date.parse(nextAttemptAt), now + MINUTE_MS)
      }
      const [parked] = await deliveries(body.id)
      expect(now - beganAt).to.be.within(2.9 * DAY_MS, 3.1 * DAY_MS)
      expect(parked).to.include({ nextAttemptAt: null, attempts: endpoint.received.length, responseStatus: 500 })
      endpoint.answer(204)
      await sendDue()
      expect(endpoint.received).to.have.length(parked?.attempts ?? 0)
      await redeliver(app, command(), { id: body.id, deliveryId: parked?.id ?? '' })
      await sendDue()
      expect((await deliveries(body.id))[0]).to.include({ status: 'delivered', attempts: 1 })
      expect(new Set(endpoint.received.map(({ headers }) => headers['webhook-id'])).size).to.equal(1)
    })

    it('sends each event once, in its order, though replicas look for work at the same time', async () => {
      const endpoint = await receiver()
      await createWebhook(app, command(), { url: endpoint.url })
      for (let n = 0; n < 60; n += 1) await happens('kaist')
      const other = appOf(app.installationId)
      for (let round = 0; round < 2; round += 1) await Promise.all([sendDue(), sendDue(other), sendDue()])
      const numbers = endpoint.received.map(({ event }) => event.sequence)
      const [first = 0] = numbers
      expect(numbers).to.deep.equal(Array.from({ length: 60 }, (_, n) => first + n))
    })

    it('signs with each secret until its own day is over, however often it is rotated meanwhile', async () => {
      const endpoint = await receiver()
      const { body } = await createWebhook(app, command(), { url: endpoint.url })
      const secrets = [body.secret]
      const rotate = async (): Promise<void> => {
        secrets.push((await rotateSecret(app, command(), body.id)).body.secret)
      }
      /** Which of all that there ever were the next delivery is signed with. */
      const signedWith = async (): Promise<number[]> => {
        await happens('kaist')
        await sendDue()
        const sent = endpoint.received.at(-1)
        if (sent === undefined) throw new Error('one was sent')
        expect(String(sent.headers['webhook-signature']).split(' ')).to.have.length.at.most(10)
        return [...secrets.keys()].filter((n) => isSignedWith(secrets[n] ?? '', sent))
      }
      await rotate()
      await rotate() // as by a caller who lost the first answer
      expect(await signedWith()).to.deep.equal([0, 1, 2])
      now += 12 * HOUR_MS
      await rotate()
      expect(await signedWith()).to.deep.equal([0, 1, 2, 3])
      now += 12 * HOUR_MS
      expect(await signedWith()).to.deep.equal([2, 3])
      now += 12 * HOUR_MS
      expect(await signedWith()).to.deep.equal([3])
      for (let n = 0; n < 12; n += 1) await rotate()
      expect(await signedWith()).to.deep.equal([6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
    })

    it('gives the endpoint back when the broker stops in the midst of a sending, which is no failure', async () => {
      const endpoint = await receiver()
      endpoint.answer(null)
      const { body } = await createWebhook(app, command(), { url: endpoint.url })
      await happens('kaist')
      const stopping = new AbortController()
      const lanes = await openLanes(contextOf(app, stopping.signal), LANES)
      await until(
        async () => endpoint.received.length,
        (length) => length === 1,
      )
      stopping.abort()
      await Promise.all(lanes)
      endpoint.answer(204)
      await sendDue()
      expect((await deliveries(body.id)).map(({ status, attempts }) => [status, attempts])).to.deep.equal([
        ['delivered', 1],
      ])
    })

    it('lets an event that its endpoint refuses be overtaken, and tries it again in its own time', async () => {
      const endpoint = await receiver()
      const { body } = await createWebhook(app, command(), { url: endpoint.url })
      endpoint.answer(400)
      await happens('first')
      await sendDue()
      endpoint.answer(204)
      await happens('second')
      await sendDue()
      expect(endpoint.received, 'it is left alone at first').to.have.length(1)
      now += 2_000
      await sendDue()
      expect(endpoint.received.at(-1)?.event.subject).to.equal('approvals/second')
      now += MINUTE_MS
      await sendDue()
      expect(endpoint.received.at(-1)?.event.subject).to.equal('approvals/first')
      expect((await deliveries(body.id)).map(({ status }) => status)).to.deep.equal(['delivered', 'delivered'])
    })
  })
}
