import { expect } from 'chai'
import { after, afterEach, before, describe, it } from 'mocha'
import { pageOf } from '../../shared/text.ts'
import { traceIdOf } from '../../shared/trace-context.ts'
import { Delivery, Webhook, WebhookWithSecret } from '../../shared/webhook.ts'
import { type ApiClient, until } from '../support/api-client.ts'
import { START_WITHIN_MS, startTestBroker, type TestBroker } from '../support/broker.ts'
import { startReceiver, verify, type WebhookReceiver } from '../support/webhook-receiver.ts'
import { approve } from './requests.ts'
import { sharedBroker } from './shared-broker.ts'

describe('webhooks', () => {
  let broker: TestBroker
  let platform: ApiClient
  const receivers: WebhookReceiver[] = []
  const made: string[] = []
  before(async function start() {
    this.timeout(START_WITHIN_MS)
    broker = await startTestBroker({ env: { WEBHOOK_ALLOW_PRIVATE: 'true' } })
    platform = await broker.as('platform')
  })
  afterEach(async () => {
    for (const id of made.splice(0)) await platform.send('DELETE', `/v1/webhooks/${id}`)
    for (const receiver of receivers.splice(0)) await receiver.close()
  })
  after(() => broker.stop())

  const receiver = async (): Promise<WebhookReceiver> => {
    const started = await startReceiver()
    receivers.push(started)
    return started
  }
  const register = async (body: object): Promise<WebhookWithSecret> => {
    const webhook = (await platform.post('/v1/webhooks', body)).as(201, WebhookWithSecret)
    made.push(webhook.id)
    return webhook
  }
  const deliveries = async (id: string): Promise<Delivery[]> =>
    (await platform.get(`/v1/webhooks/${id}/deliveries`)).as(200, pageOf(Delivery)).items
  const gets = (endpoint: WebhookReceiver, count: number) =>
    until(
      async () => endpoint.received.length,
      (length) => length >= count,
    )

  it('are sent what happens from now on, in its order and signed, as the log has it', async () => {
    await approve(platform)
    const endpoint = await receiver()
    const { id, secret } = await register({ url: endpoint.url })
    const approvals = [await approve(platform), await approve(platform), await approve(platform)]
    await gets(endpoint, 3)
    expect(endpoint.received.map(({ event }) => event.subject)).to.deep.equal(
      approvals.map((one) => `approvals/${one}`),
    )
    for (const one of endpoint.received) {
      expect(verify(secret, one)).to.deep.equal(one.event)
      expect(one.headers).to.include({ 'webhook-id': one.event.id })
      expect(one.headers['content-type']).to.match(/^application\/cloudevents\+json/)
      expect(traceIdOf(String(one.headers['traceparent']))).to.equal(traceIdOf(one.event.traceparent ?? ''))
      expect(one.event.traceparent).to.match(/^00-/)
    }
    const sent = await until(
      () => deliveries(id),
      (all) => all.length === 3,
    )
    expect(sent.map(({ status, attempts, responseStatus }) => [status, attempts, responseStatus])).to.deep.equal(
      Array.from({ length: 3 }, () => ['delivered', 1, 204]),
    )
    expect(sent.map(({ sequence }) => sequence)).to.deep.equal(
      endpoint.received.map(({ event }) => event.sequence).toReversed(),
    )
  })

  it('are sent only the types that they asked for', async () => {
    const endpoint = await receiver()
    await register({ url: endpoint.url, types: ['kr.gpubroker.approval.revoked'] })
    const id = await approve(platform)
    await platform.post(`/v1/approvals/${id}/revoke`)
    await gets(endpoint, 1)
    expect(endpoint.received.map(({ event }) => event.type)).to.deep.equal(['kr.gpubroker.approval.revoked'])
  })

  it('show their secret once, and never again', async () => {
    const { secret, ...webhook } = await register({ url: 'https://hooks.invalid/x', description: 'the portal' })
    const got = await platform.get(`/v1/webhooks/${webhook.id}`)
    expect(got.as(200, Webhook)).to.deep.equal(webhook)
    const list = await platform.get('/v1/webhooks')
    expect(list.as(200, pageOf(Webhook)).items).to.deep.include(webhook)
    expect(got.text + list.text).not.to.include(secret.slice('whsec_'.length))
  })

  it('are signed with both secrets for a time after a rotation', async () => {
    const endpoint = await receiver()
    const first = await register({ url: endpoint.url })
    const second = (await platform.post(`/v1/webhooks/${first.id}/rotate-secret`)).as(200, WebhookWithSecret)
    expect(second.previousSecretUntil).to.be.a('string')
    await approve(platform)
    await gets(endpoint, 1)
    const [one] = endpoint.received
    if (one === undefined) throw new Error('one was received')
    for (const { secret } of [first, second]) expect(verify(secret, one)).to.deep.equal(one.event)
    expect(() => verify('whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=', one)).to.throw()
  })

  it('are rotated only by who saw them as they are, and twice with one key is once', async () => {
    const { id } = await register({ url: 'https://hooks.invalid/x' })
    const etag = (await platform.get(`/v1/webhooks/${id}`)).etag()
    const path = `/v1/webhooks/${id}/rotate-secret`
    const rotated = await platform.post(path, {}, { 'if-match': etag, 'idempotency-key': `key-${id}` })
    const again = await platform.post(path, {}, { 'if-match': etag, 'idempotency-key': `key-${id}` })
    expect([again.text, again.headers.get('idempotent-replayed')]).to.deep.equal([rotated.text, 'true'])
    ;(await platform.post(path, {}, { 'if-match': etag })).problem('stale')
  })

  it('are tried again when they fail, go on in the meantime, and can be asked for once more', async () => {
    const endpoint = await receiver()
    const { id } = await register({ url: endpoint.url })
    endpoint.answer(500)
    const first = await approve(platform)
    const [failed] = await until(
      () => deliveries(id),
      (all) => all[0]?.status === 'retrying',
    )
    expect(failed).to.include({ responseStatus: 500, error: 'the endpoint answered 500', attempts: 1 })
    expect((await platform.get(`/v1/webhooks/${id}`)).as(200, Webhook).status).to.equal('failing')
    endpoint.answer(204)
    const second = await approve(platform)
    await gets(endpoint, 2)
    expect(endpoint.received.at(-1)?.event.subject).to.equal(`approvals/${second}`)
    const asked = await platform.post(`/v1/webhooks/${id}/deliveries/${failed?.id}/redeliver`)
    expect(asked.as(202, Delivery)).to.include({ status: 'retrying', attempts: 0 })
    await gets(endpoint, 3)
    expect(endpoint.received.at(-1)?.event.subject).to.equal(`approvals/${first}`)
    await until(
      () => deliveries(id),
      (all) => all.every(({ status }) => status === 'delivered'),
    )
    expect((await platform.get(`/v1/webhooks/${id}`)).as(200, Webhook).status).to.equal('healthy')
  })

  it('do not lead on to where they redirect, and delay nobody when they hang', async () => {
    const [hangs, redirects, good] = [await receiver(), await receiver(), await receiver()]
    const secret = await receiver()
    hangs.answer(null)
    redirects.answer(307, { location: secret.url })
    for (const { url } of [hangs, redirects]) await register({ url })
    const { id } = await register({ url: good.url })
    await approve(platform)
    await approve(platform)
    await gets(good, 2)
    await gets(redirects, 1)
    expect(secret.received).to.deep.equal([])
    await until(
      () => deliveries(id),
      (all) => all.length === 2 && all.every(({ status }) => status === 'delivered'),
    )
  })

  it('go on over a restart where they were', async () => {
    const endpoint = await receiver()
    const { id } = await register({ url: endpoint.url })
    await approve(platform)
    // Known to be delivered: what was received, but whose answer the broker has not read when it stops, is sent again.
    await until(
      () => deliveries(id),
      ([first]) => first?.status === 'delivered',
    )
    await broker.restart()
    await approve(platform)
    await gets(endpoint, 2)
    const numbers = endpoint.received.map(({ event }) => event.sequence)
    expect(numbers[1]).to.equal((numbers[0] ?? 0) + 1)
  })

  it('are no more once deleted', async () => {
    const { id } = await register({ url: 'https://hooks.invalid/x' })
    expect((await platform.send('DELETE', `/v1/webhooks/${id}`)).status).to.equal(204)
    ;(await platform.get(`/v1/webhooks/${id}`)).problem('not-found')
    ;(await platform.send('DELETE', `/v1/webhooks/${id}`)).problem('not-found')
    ;(await platform.get(`/v1/webhooks/${id}/deliveries`)).problem('not-found')
  })

  for (const [body, pointer] of [
    [{}, '/url'],
    [{ url: 'ftp://example.org' }, '/url'],
    [{ url: 'https://user:word@example.org' }, '/url'],
    [{ url: 'https://example.org/\0' }, '/url'],
    [{ url: 'https://example.org/\r\nhook' }, '/url'],
    [{ url: 'https:///hook' }, '/url'],
    [{ url: 'https://example.org', types: [] }, '/types'],
    [{ url: 'https://example.org', types: ['allocation.sold'] }, '/types/0'],
    [{ url: 'https://example.org', types: ['node.failed', 'kr.gpubroker.node.failed'] }, '/types'],
    [{ url: 'https://example.org', secret: 'mine' }, '/secret'],
  ] as const) {
    it(`are refused as ${JSON.stringify(body)}`, async () => {
      const { errors = [] } = (await platform.post('/v1/webhooks', body)).problem('invalid-request')
      expect(errors[0]?.pointer).to.equal(pointer)
    })
  }

  it('are for those with the scope only', async () => {
    ;(await (await broker.as('kaist')).get('/v1/webhooks')).problem('insufficient-scope')
    ;(await (await broker.as('sre')).post('/v1/webhooks', { url: 'https://example.org' })).problem('insufficient-scope')
  })
})

describe('a webhook to an address that is not public', () => {
  for (const url of [
    'http://example.org/hook',
    'https://127.0.0.1/',
    'https://[::1]/',
    'https://169.254.169.254/latest/meta-data',
    'https://10.1.2.3/',
    'https://192.168.0.1/',
    'https://100.64.0.1/',
    'https://[fd00::1]/',
    'https://[fe80::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://[64:ff9b::a00:1]/',
    'https://2130706433/',
    'https://0177.0.0.1/',
    'https://0x7f.1/',
    'https://0.0.0.0/',
    'https://localhost/',
    'https://localhost./',
    'https://hooks.localhost/',
    'https://[::127.0.0.1]/',
  ]) {
    it(`is refused: ${url}`, async () => {
      const platform = await sharedBroker().as('platform')
      const { errors = [] } = (await platform.post('/v1/webhooks', { url })).problem('invalid-request')
      expect(errors.map(({ pointer }) => pointer)).to.deep.equal(['/url'])
    })
  }
})
