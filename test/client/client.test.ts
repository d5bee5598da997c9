import { expect } from 'chai'
import { afterEach, describe, it } from 'mocha'
import { type Client, createClient } from '../../broker/client/client.ts'
import { collect } from '../../broker/client/collect.ts'
import { type TokenSource, fixedToken } from '../../broker/client/credentials.ts'
import type { AnswerFacts, ExchangeOptions } from '../../broker/client/exchange.ts'
import { ProblemError, UnreachableError } from '../../broker/client/problem-error.ts'
import { allocation, allocationRequest, approval, approvalRequest, previewRequest } from '../../broker/http/examples.ts'
import { type Loopback, type Received, type Scripted, problem, startLoopback } from './loopback.ts'

interface World {
  readonly server: Loopback
  readonly client: Client
  /** The waits that were asked for; none is waited. */
  readonly pausesMs: number[]
}

let open: Loopback | null = null

async function world(
  answer: (received: Received, nth: number) => Scripted,
  options: Partial<ExchangeOptions> = {},
): Promise<World> {
  const server = await startLoopback(answer)
  open = server
  const pausesMs: number[] = []
  const client = createClient({
    baseUrl: server.url,
    tokens: fixedToken('token-1'),
    pause: async (ms) => void pausesMs.push(ms),
    random: () => 0,
    ...options,
  })
  return { server, client, pausesMs }
}

/** What the call is refused with; fails the test if it is not. */
async function failureOf(call: Promise<unknown>): Promise<unknown> {
  const missing = new Error('the call did not fail')
  const error: unknown = await call.then(
    () => missing,
    (cause: unknown) => cause,
  )
  if (error === missing) throw missing
  return error
}

const keysOf = ({ received }: Loopback): unknown[] => received.map(({ headers }) => headers['idempotency-key'])

describe('the client', () => {
  afterEach(async () => {
    await open?.close()
    open = null
  })

  it('keeps one idempotency key over all attempts of a call', async () => {
    const { server, client } = await world((_, nth) =>
      nth < 4 ? problem(503, 'unavailable') : { status: 201, json: allocation },
    )
    expect(await client.createAllocation(allocationRequest)).to.deep.equal(allocation)
    expect(keysOf(server)).to.have.length(4)
    expect(new Set(keysOf(server)).size).to.equal(1)
    expect(keysOf(server)[0]).to.match(/^[\x21-\x7e]{1,255}$/)
  })

  it('gives every post a key of its own, and gets and puts none', async () => {
    const { server, client } = await world(() => ({ json: allocation }))
    await client.createAllocation(allocationRequest)
    await client.createAllocation(allocationRequest)
    await client.releaseAllocation(allocation.id)
    await client.revokeApproval('apr-1')
    await client.previewPlacement(previewRequest)
    await client.getAllocation(allocation.id)
    await client.putApproval('apr-1', approvalRequest)
    const keys = keysOf(server)
    expect(new Set(keys.slice(0, 5)).size).to.equal(5)
    expect(keys.slice(5)).to.deep.equal([undefined, undefined])
  })

  it('uses the key that its caller chose', async () => {
    const { server, client } = await world(() => ({ json: allocation }))
    await client.createAllocation(allocationRequest, { idempotencyKey: 'mine' })
    expect(keysOf(server)).to.deep.equal(['mine'])
  })

  it('asks again when the connection is cut before an answer', async () => {
    const { server, client, pausesMs } = await world((_, nth) => (nth === 1 ? { fault: 'cut' } : { json: allocation }))
    await client.createAllocation(allocationRequest)
    expect(server.received).to.have.length(2)
    expect(pausesMs).to.deep.equal([125])
  })

  it('asks again while the first try of the same key is still being answered', async () => {
    const { server, client } = await world((_, nth) =>
      nth === 1 ? problem(409, 'idempotency-in-flight') : { json: allocation },
    )
    await client.createAllocation(allocationRequest)
    expect(server.received).to.have.length(2)
  })

  it('waits as long as the broker asks for', async () => {
    const { client, pausesMs } = await world((_, nth) =>
      nth === 1 ? { ...problem(429, 'rate-limited'), headers: { 'retry-after': '7' } } : { json: allocation },
    )
    await client.getAllocation(allocation.id)
    expect(pausesMs).to.deep.equal([7_000])
  })

  it('gives up after its last attempt, with the problem', async () => {
    const { server, client, pausesMs } = await world(() => problem(503, 'unavailable'), { retry: { maxAttempts: 3 } })
    const error = await failureOf(client.getAllocation(allocation.id))
    expect(error).to.be.instanceOf(ProblemError).with.property('code', 'unavailable')
    expect(server.received).to.have.length(3)
    expect(pausesMs).to.deep.equal([125, 250])
  })

  it('does not repeat what the broker decided', async () => {
    const { server, client, pausesMs } = await world(() => problem(409, 'no-capacity'))
    await failureOf(client.createAllocation(allocationRequest))
    expect(server.received).to.have.length(1)
    expect(pausesMs).to.deep.equal([])
  })

  it('throws a problem with its title, detail, status, code, field errors and further members', async () => {
    const errors = [{ pointer: '/demand/nodes', detail: 'must be a whole number' }]
    const { client } = await world(() => problem(400, 'invalid-request', { errors, limit: 'maxNodes' }))
    const error = await failureOf(client.createAllocation(allocationRequest))
    expect(error).to.be.instanceOf(ProblemError)
    expect(error).to.deep.include({
      title: 'A title',
      detail: 'A detail with 3 figures.',
      status: 400,
      code: 'invalid-request',
      errors,
      requestId: 'req-1',
    })
    expect((error as ProblemError).problem['limit']).to.equal('maxNodes')
  })

  it('says so when what answers is not a broker', async () => {
    const { client } = await world(() => ({ status: 404, text: '<html>nothing here</html>' }))
    expect(await failureOf(client.getAllocation(allocation.id)))
      .to.be.instanceOf(UnreachableError)
      .with.property('message')
      .that.includes('answered 404')
  })

  it('says so when a success is not JSON, and does not ask again', async () => {
    const { server, client } = await world(() => ({ text: 'hello' }))
    expect(await failureOf(client.getAllocation(allocation.id))).to.be.instanceOf(UnreachableError)
    expect(server.received).to.have.length(1)
  })

  it('says where nobody answers', async () => {
    const { server, client } = await world(() => ({}), { retry: { maxAttempts: 2 } })
    await server.close()
    open = null
    expect(await failureOf(client.getAllocation(allocation.id)))
      .to.be.instanceOf(UnreachableError)
      .with.property('message', `${server.url} cannot be reached: ECONNREFUSED.`)
  })

  it('stops waiting for one attempt at its deadline', async () => {
    const { server, client } = await world((_, nth) => (nth === 1 ? { fault: 'silent' } : { json: allocation }), {
      attemptTimeoutMs: 1_000, // and time for the second one, which is answered, on a busy machine
    })
    await client.getAllocation(allocation.id)
    expect(server.received).to.have.length(2)
  })

  it('ends with the reason of its caller’s signal', async () => {
    const stop = new AbortController()
    const { client } = await world(() => {
      stop.abort(new Error('enough'))
      return { fault: 'silent' }
    })
    expect(await failureOf(client.getAllocation(allocation.id, { signal: stop.signal }))).to.have.property(
      'message',
      'enough',
    )
  })

  it('fetches one other token when its own is refused', async () => {
    const asked: string[] = []
    let valid = 'old'
    const tokens: TokenSource = {
      token: async () => valid,
      forget: (token) => {
        asked.push(token)
        valid = 'new'
        return true
      },
    }
    const answer = ({ headers }: Received): Scripted =>
      headers.authorization === 'Bearer new' ? { json: allocation } : problem(401, 'unauthorized')
    const { client, pausesMs } = await world(answer, { tokens })
    await client.getAllocation(allocation.id)
    expect(asked).to.deep.equal(['old'])
    expect(pausesMs).to.deep.equal([])
  })

  it('takes the second refusal of a token as final', async () => {
    const tokens: TokenSource = { token: async () => 'any', forget: () => true }
    const { server, client } = await world(() => problem(401, 'unauthorized'), { tokens })
    expect(await failureOf(client.getAllocation(allocation.id))).to.have.property('code', 'unauthorized')
    expect(server.received).to.have.length(2)
  })

  it('says beside the body what a change may be made conditional on, and makes it so', async () => {
    const headers = { etag: '"3"', 'x-request-id': 'req-7', 'idempotent-replayed': 'true' }
    const { server, client } = await world(() => ({ json: allocation, headers }))
    const told: AnswerFacts[] = []
    await client.getAllocation(allocation.id, { onAnswer: (facts) => void told.push(facts) })
    expect(told).to.deep.equal([{ status: 200, etag: '"3"', isReplayed: true, requestId: 'req-7' }])
    await client.releaseAllocation(allocation.id, {}, { ifMatch: '"3"' })
    expect(server.received[1]?.headers['if-match']).to.equal('"3"')
  })

  it('answers null where what its caller has is still so, and says which version that is', async () => {
    const headers = { etag: '"3"' }
    const { server, client } = await world(({ headers: asked }) =>
      asked['if-none-match'] === '"3"' ? { status: 304, headers, text: '' } : { json: allocation, headers },
    )
    let etag: string | null = null
    const onAnswer = (answer: AnswerFacts): void => void (etag = answer.etag)
    expect(await client.getAllocation(allocation.id, { ifNoneMatch: etag, onAnswer })).to.deep.equal(allocation)
    const told: AnswerFacts[] = []
    const options = { ifNoneMatch: etag, onAnswer: (facts: AnswerFacts) => void told.push(facts) }
    expect(await client.getAllocation(allocation.id, options)).to.equal(null)
    expect(told).to.deep.equal([{ status: 304, etag: '"3"', isReplayed: false, requestId: null }])
    expect(await client.getAllocation(allocation.id, { ifNoneMatch: '"2"' })).to.deep.equal(allocation)
    expect(server.received[0]?.headers).not.to.have.property('if-none-match')
  })

  it('takes an answer that only a condition can have as none of a broker where it has set none', async () => {
    const { server, client } = await world(() => ({ status: 304, text: '' }))
    expect(await failureOf(client.getAllocation(allocation.id))).to.be.instanceOf(UnreachableError)
    expect(server.received).to.have.length(1)
  })

  it('takes what is gone as deleted when an answer was lost on the way, and only then', async () => {
    const gone = problem(404, 'not-found')
    const lost = await world((_, nth) => (nth === 1 ? { fault: 'cut' } : gone))
    await lost.client.deleteWebhook('whk_abcdefghijklmnop')
    expect(lost.server.received).to.have.length(2)
    await lost.server.close()
    const { client } = await world(() => gone)
    expect(await failureOf(client.deleteWebhook('whk_abcdefghijklmnop'))).to.have.property('code', 'not-found')
  })

  it('keeps nobody past their deadline, not even while a token is asked for', async () => {
    const tokens: TokenSource = { token: () => new Promise(() => undefined), forget: () => false }
    const { client } = await world(() => ({ json: allocation }), { tokens })
    const failure = await failureOf(client.getAllocation(allocation.id, { signal: AbortSignal.timeout(20) }))
    expect(failure).to.have.property('name', 'TimeoutError')
  })

  it('tells a new approval from a replaced one', async () => {
    const { client } = await world((_, nth) => ({ status: nth === 1 ? 201 : 200, json: approval }))
    expect(await client.putApproval('apr-1', approvalRequest)).to.deep.equal({ approval, created: true })
    expect(await client.putApproval('apr-1', approvalRequest)).to.deep.equal({ approval, created: false })
  })

  it('keeps an id in its place in the path, and a path in its base URL', async () => {
    const { server } = await world(() => ({ json: approval }))
    const client = createClient({ baseUrl: `${server.url}/broker/`, tokens: fixedToken('t') })
    await client.getApproval('a/../b?c')
    expect(server.received[0]?.path).to.equal('/broker/v1/approvals/a%2F..%2Fb%3Fc')
  })
})

describe('a list of the client', () => {
  afterEach(async () => {
    await open?.close()
    open = null
  })

  const page = (items: readonly unknown[], nextCursor: string | null): Scripted => ({ json: { items, nextCursor } })

  it('is read page by page to its end, with the filter on every page', async () => {
    const { server, client } = await world((_, nth) => (nth === 1 ? page([1, 2], 'c-2') : page([3], null)))
    const items = await collect(client.listAllocations({ status: 'active', label: 'a:b' }, { pageSize: 2 }))
    expect(items).to.deep.equal([1, 2, 3])
    expect(server.received.map(({ path }) => path)).to.deep.equal([
      '/v1/allocations?status=active&label=a%3Ab&limit=2',
      '/v1/allocations?status=active&label=a%3Ab&limit=2&cursor=c-2',
    ])
  })

  it('asks for no further page than its reader reads', async () => {
    const { server, client } = await world((_, nth) => page([nth], `c-${nth}`))
    expect(await collect(client.listClusters(), 2)).to.deep.equal([1, 2])
    expect(server.received).to.have.length(2)
  })

  it('is an error when its cursor repeats itself', async () => {
    const { client } = await world(() => page([1], 'same'))
    expect(await failureOf(collect(client.listApprovals()))).to.have.property(
      'message',
      'the list /v1/approvals repeats its cursor',
    )
  })
})
