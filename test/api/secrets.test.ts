/**
 * Secrets that are known are planted wherever a broker meets secrets: in its configuration, in tokens, in what operators
 * and endpoints answer. Then it lives through a day's traffic, faults among it, logging all that it can; and everything
 * that it has said or written is searched for them (invariant 9).
 */
import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { sql } from 'kysely'
import { after, before, describe, it } from 'mocha'
import { KAKAO, NAVER, NHN } from '../../deploy/sandbox/settings.ts'
import { secretOf } from '../../deploy/sandbox/identity-clients.ts'
import { pageOf } from '../../shared/text.ts'
import { Delivery, WebhookWithSecret } from '../../shared/webhook.ts'
import { CREATE, type Operators, OPERATORS, startOperators } from '../durability/operators.ts'
import { closeAll } from '../support/close-all.ts'
import { type ApiClient, tokenFor, until } from '../support/api-client.ts'
import type { OperatorId } from '../support/sandbox.ts'
import { START_WITHIN_MS, startTestBroker, type TestBroker } from '../support/broker.ts'
import { startReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts'
import { allocate, allocationBody, approve, freshId, reaches, release } from './requests.ts'

/** As long as tokens are: what has no such length is a word of an operator’s, and is passed on. */
const IN_ANSWERS = randomBytes(48).toString('base64url')
/** What the broker has of each operator: its adapter must not pass it on, should the operator repeat it. */
const OWN = { naver: NAVER.secretKey, nhn: NHN.password, kakao: KAKAO.accessKeySecret }
const IN_TOKEN = freshId('planted-in-a-token')
const IN_URL = freshId('planted-in-a-url')
const AT_ENDPOINT = freshId('planted-by-an-endpoint')
const CLIENTS = ['platform', 'opaque', 'sre', 'auditor', 'kaist', 'nhn-staff']

describe('no secret', function () {
  this.timeout(60_000)
  let operators: Operators
  let receiver: WebhookReceiver
  let broker: TestBroker
  /** What each is, and its text. */
  const secrets = new Map<string, string>()
  /** Webhooks' own: shown once each to who made them, and kept to sign with. */
  const signing = new Map<string, string>()
  /** Every answer but those in which a webhook's secret is shown. */
  const answers: string[] = []
  let tables: ReadonlyMap<string, string>

  before(async function start() {
    this.timeout(2 * START_WITHIN_MS)
    operators = await startOperators()
    receiver = await startReceiver()
    const env = { LOG_LEVEL: 'trace', WEBHOOK_ALLOW_PRIVATE: 'true', SWEEP_INTERVAL_SECONDS: '1' }
    broker = await startTestBroker({ sandbox: operators, env, mayPage: /./ })
    await plant()
    await useTokens()
    await notify(await recording('platform'))
    await useOperators(await recording('platform'))
    tables = await broker.inStore(allTables)
  })
  after(() =>
    closeAll(
      () => broker.stop(),
      () => receiver.close(),
      () => operators.close(),
    ),
  )

  async function plant(): Promise<void> {
    for (const operator of OPERATORS) secrets.set(`the credential at ${operator}`, OWN[operator])
    secrets.set('the secret of the broker’s own client', secretOf('gpu-broker'))
    const password = URL.parse(broker.place.url ?? '')?.password ?? ''
    if (password !== '') secrets.set('the password of the database', `:${password}@`)
    for (const client of CLIENTS) {
      const token = await tokenFor(operators.identityUrl, client)
      secrets.set(`a token of ${client}`, token.split('.').at(-1) ?? token) // the signature, where it has one
    }
    secrets.set('a token that is made up', IN_TOKEN)
    secrets.set('what an operator answers', IN_ANSWERS)
    secrets.set('what stands in an endpoint’s URL', IN_URL)
    secrets.set('what an endpoint answers', AT_ENDPOINT)
  }

  /** A client whose answers are kept to be searched. */
  async function recording(client: string): Promise<ApiClient> {
    const { send, ...rest } = await broker.as(client)
    const keep = async (got: ReturnType<ApiClient['send']>): ReturnType<ApiClient['send']> => {
      const { text, headers } = await got
      answers.push(`${JSON.stringify([...headers])} ${text}`)
      return got
    }
    return {
      get: (path, headers) => keep(rest.get(path, headers)),
      post: (path, body, headers) => keep(rest.post(path, body, headers)),
      put: (path, body, headers) => keep(rest.put(path, body, headers)),
      send: (method, path, init) => keep(send(method, path, init)),
    }
  }

  async function useTokens(): Promise<void> {
    for (const client of CLIENTS) await (await recording(client)).get('/v1/clusters')
    const [header, payload] = (await tokenFor(operators.identityUrl, 'platform')).split('.')
    for (const token of [IN_TOKEN, `${header}.${payload}.${IN_TOKEN}`, `${IN_TOKEN} ${IN_TOKEN}`]) {
      const got = await broker.withToken(token).get('/v1/clusters')
      answers.push(`${JSON.stringify([...got.headers])} ${got.text}`)
      expect(got.status).to.equal(401)
    }
  }

  /** An endpoint that fails at first, telling more than it should. */
  async function notify(platform: ApiClient): Promise<void> {
    receiver.answer(500, { 'x-internal': AT_ENDPOINT, location: `http://127.0.0.1/?${AT_ENDPOINT}` })
    const unrecorded = await broker.as('platform')
    const url = `${receiver.url}?token=${IN_URL}`
    const made = (await unrecorded.post('/v1/webhooks', { url })).as(201, WebhookWithSecret)
    const rotated = (await unrecorded.post(`/v1/webhooks/${made.id}/rotate-secret`)).as(200, WebhookWithSecret)
    signing.set('the secret of a webhook', rotated.secret.slice('whsec_'.length))
    signing.set('the secret that it had before', made.secret.slice('whsec_'.length))
    await approve(platform)
    await until(
      async () => (await unrecorded.get(`/v1/webhooks/${made.id}/deliveries`)).as(200, pageOf(Delivery)).items,
      ([first]) => (first?.attempts ?? 0) > 0,
    )
    receiver.answer(204)
    await platform.get(`/v1/webhooks/${made.id}/deliveries`)
  }

  /** What it refuses, what it fails with, what nobody can read; and then all goes well. */
  async function misfortuneAt(platform: ApiClient, approvalId: string, operator: OperatorId): Promise<void> {
    const said = `cannot sign with ${OWN[operator]} ${IN_ANSWERS}`
    // Whichever of them the operator's adapter reads.
    const body = JSON.stringify({
      error: { message: said, code: IN_ANSWERS },
      badRequest: { message: said, code: 400 },
      responseError: { returnCode: '1', returnMessage: said },
    })
    const headers = { 'x-subject-token': IN_ANSWERS, 'content-type': 'application/json' }
    await operators.setFaults(operator, [
      { match: CREATE[operator], effect: 'status', status: 500, body, headers, times: 1 },
      { match: CREATE[operator], effect: 'status', status: 400, body, headers, times: 1 },
      { match: { path: 'tokens' }, effect: 'status', status: 403, body, headers, times: 1 },
      { match: { method: 'GET' }, effect: 'malformed', body: `<html>${IN_ANSWERS}`, times: 2 },
    ])
    const period = { durationHours: 5 }
    const { id } = await allocate(platform, approvalId, { requires: { providers: [operator] }, period })
    await until(
      async () => (await platform.get(`/v1/allocations/${id}`)).text,
      (text) => /"status":"(active|failed)"/.test(text),
    )
    await platform.get(`/v1/allocations/${id}/nodes`)
    await platform.get(`/v1/allocations/${id}/decisions`)
    await platform.get(`/v1/providers/${operator}`)
    await release(platform, id)
  }

  async function useOperators(platform: ApiClient): Promise<void> {
    const approvalId = await approve(platform)
    await Promise.all(OPERATORS.map((operator) => misfortuneAt(platform, approvalId, operator)))
    await operators.calm()
    const { id } = await allocate(platform, approvalId, { period: { durationHours: 5 } })
    await reaches(platform, id, 'active')
    await platform.post('/v1/allocations', { ...allocationBody(approvalId), secret: IN_TOKEN, name: 7 })
    await platform.send('POST', '/v1/allocations', { headers: JSON_BODY, body: `{"name":"${IN_TOKEN}` })
    for (const path of ['events?limit=500', 'audit?limit=500', 'decisions?limit=500', 'webhooks', 'calendar/log']) {
      await platform.get(`/v1/${path}`)
    }
  }

  const allTables = async (queries: Parameters<Parameters<TestBroker['inStore']>[0]>[0]) => {
    const { rows } = await sql<{ schema: string; name: string }>`
      select table_schema as schema, table_name as name from information_schema.tables
      where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'`.execute(queries)
    const texts = new Map<string, string>()
    for (const { schema, name } of rows) {
      const found = await sql<{
        text: string
      }>`select t::text as text from ${sql.table(`${schema}.${name}`)} as t`.execute(queries)
      texts.set(name, found.rows.map(({ text }) => text).join('\n'))
    }
    return texts
  }
  const foundIn = (text: string, of: ReadonlyMap<string, string> = new Map([...secrets, ...signing])): string[] =>
    [...of].filter(([, secret]) => text.includes(secret)).map(([what]) => what)

  it('is in a log, at the level that tells most', () => {
    const lines = broker.logged()
    expect(lines.some((line) => line.includes('request answered'))).to.equal(true)
    expect(
      lines.some((line) => /^{"level":[45]0/.test(line)),
      'and something went wrong',
    ).to.equal(true)
    expect(foundIn(lines.join('\n'))).to.deep.equal([])
  })

  it('is in a metric', async () => {
    const { lines } = await broker.exposition()
    expect(foundIn(lines.join('\n'))).to.deep.equal([])
  })

  it('is in an answer: errors, events, the audit trail and decisions among them; a URL is shown to who may read it', () => {
    expect(answers.length).to.be.above(40)
    const own = (text: string): boolean => text.includes('"url":')
    expect(foundIn(answers.filter((text) => !own(text)).join('\n'))).to.deep.equal([])
    secrets.delete('what stands in an endpoint’s URL')
    expect(foundIn(answers.filter(own).join('\n'))).to.deep.equal([])
    secrets.set('what stands in an endpoint’s URL', IN_URL)
  })

  it('is in the store, but what events are signed with and sent to', () => {
    expect(tables.size).to.be.above(15)
    const found = [...tables].flatMap(([table, text]) => foundIn(text).map((what) => `${what} in ${table}`))
    expect(found.toSorted()).to.deep.equal([
      'the secret of a webhook in webhooks',
      'the secret that it had before in webhooks',
      'what stands in an endpoint’s URL in webhooks',
    ])
  })
})

const JSON_BODY = { 'content-type': 'application/json' }
