import { expect } from 'chai'
import { mkdtemp, rm } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { startOperator } from '../../deploy/sandbox/harness.ts'
import type { OperatorSetup, RunningOperator } from '../../deploy/sandbox/harness.ts'
import { until } from '../support/api-client.ts'

/** An operator of one call: `POST /things?name=…` makes one, `GET /things` counts them. */
const counting: OperatorSetup = {
  name: 'nhn',
  create: ({ store, ledger, now }) => ({
    handle(request) {
      if (request.method === 'POST') {
        const id = String(store.nextNumber('thing', 1))
        store.table('things').set(id, { id })
        ledger.made({ kind: 'node', id, name: request.query.get('name') ?? 'unnamed', atMs: now() })
      }
      return { status: 200, body: { things: store.table('things').size, at: now() } }
    },
    throttled: () => ({ status: 429, body: { slow: 'down' } }),
  }),
}

const quick = { dir: null, bootMs: 0, latencyMs: 0, ratePerSecond: 1_000, port: 0 }

describe('sandbox harness', () => {
  let operator: RunningOperator
  beforeEach(async () => {
    operator = await startOperator(counting, quick)
  })
  afterEach(() => operator.close())

  const put = async (path: string, body: unknown): Promise<Response> =>
    fetch(`${operator.url}/_sandbox/${path}`, { method: 'PUT', body: JSON.stringify(body) })
  const make = async (): Promise<Response> => fetch(`${operator.url}/things?name=a`, { method: 'POST' })
  const things = async (): Promise<number> => {
    const answer = (await (await fetch(`${operator.url}/things`)).json()) as { things: number }
    return answer.things
  }
  const faults = async (): Promise<readonly unknown[]> =>
    (await (await fetch(`${operator.url}/_sandbox/faults`)).json()) as readonly unknown[]
  const failure = async (call: Promise<Response>): Promise<string> =>
    call.then(
      () => 'answered',
      (error: Error) => (error.cause as { code?: string }).code ?? error.name,
    )

  for (const [effect, made] of [
    ['drop-before', 0],
    ['drop-after', 1],
    ['reset-before', 0],
    ['reset-after', 1],
  ] as const) {
    it(`${effect} gives no answer and leaves ${made} made`, async () => {
      await put('faults', [{ match: { method: 'POST', path: '^/things$' }, times: 1, effect }])
      expect(await failure(make())).to.be.oneOf(['UND_ERR_SOCKET', 'ECONNRESET'])
      expect(await things()).to.equal(made)
    })
  }

  it('a black hole neither does nor answers, and closing the operator ends it', async () => {
    await put('faults', [{ match: { method: 'POST' }, effect: 'black-hole' }])
    const lost = fetch(`${operator.url}/things`, { method: 'POST', signal: AbortSignal.timeout(50) })
    expect(await lost.catch((error: Error) => error.name)).to.equal('TimeoutError')
    expect(await things()).to.equal(0)
  })

  it('a delayed call is done even when its client has left', async () => {
    await put('faults', [{ match: { method: 'POST' }, effect: 'delay', delayMs: 500, times: 1 }])
    const client = new AbortController()
    const left = fetch(`${operator.url}/things`, { method: 'POST', signal: client.signal }).catch(
      (error: Error) => error.name,
    )
    await until(faults, (still) => still.length === 0) // it has met the fault, and is not done yet
    client.abort()
    expect(await left).to.equal('AbortError')
    await until(things, (made) => made === 1)
  })

  it('a slow drip delivers the whole answer in pieces', async () => {
    await put('faults', [{ effect: 'slow-drip', delayMs: 20, times: 1 }])
    let pieces = 0
    const text = await new Promise<string>((resolve, reject) => {
      let seen = ''
      const call = httpRequest(`${operator.url}/things`, (answer) => {
        answer.on('data', (chunk: Buffer) => {
          pieces += 1
          seen += chunk.toString()
        })
        answer.on('end', () => resolve(seen))
      })
      call.on('error', reject)
      call.end()
    })
    expect(JSON.parse(text)).to.include({ things: 0 })
    expect(pieces).to.be.greaterThan(1)
  })

  it('a status fault answers as told without doing anything', async () => {
    await put('faults', [{ effect: 'status', status: 502, body: '<html>', headers: { 'retry-after': '3' }, times: 1 }])
    const answer = await make()
    expect([answer.status, answer.headers.get('retry-after'), await answer.text()]).to.deep.equal([502, '3', '<html>'])
    expect(await things()).to.equal(0)
  })

  it('a malformed answer comes with status 200 after the deed', async () => {
    await put('faults', [{ effect: 'malformed', times: 1 }])
    const answer = await make()
    expect(answer.status).to.equal(200)
    expect(await answer.json().catch((error: Error) => error.name)).to.equal('SyntaxError')
    expect(await things()).to.equal(1)
  })

  it('a fault strikes as often as told, and an empty list clears it', async () => {
    await put('faults', [{ effect: 'status', status: 500, times: 2 }])
    const statuses = [(await make()).status, (await make()).status, (await make()).status]
    expect(statuses).to.deep.equal([500, 500, 200])
    await put('faults', [{ effect: 'status', status: 500 }])
    expect((await make()).status).to.equal(500)
    await put('faults', [])
    expect((await make()).status).to.equal(200)
  })

  it('a probability strikes the same calls in every run', async () => {
    const run = async (): Promise<number[]> => {
      await put('faults', [{ effect: 'status', status: 500, probability: 0.5 }])
      const statuses: number[] = []
      for (let call = 0; call < 20; call += 1) statuses.push((await make()).status)
      return statuses
    }
    const first = await run()
    expect(first).to.include(200).and.to.include(500)
    expect(await run()).to.deep.equal(first)
  })

  it('calls beyond the rate get the operator’s own refusal, control calls never', async () => {
    await put('behaviour', { ratePerSecond: 2 })
    const statuses = (await Promise.all([make(), make(), make(), make()])).map((answer) => answer.status)
    expect(statuses.filter((status) => status === 429)).to.have.length.of.at.least(1)
    for (let call = 0; call < 5; call += 1)
      expect((await fetch(`${operator.url}/_sandbox/ledger`)).status).to.equal(200)
  })

  it('the clock can be put forward', async () => {
    await put('clock', { offsetMs: 86_400_000 })
    const { at } = (await (await make()).json()) as { at: number }
    expect(at).to.be.closeTo(Date.now() + 86_400_000, 5_000)
  })

  it('refuses a control body with an unknown member', async () => {
    expect((await put('behaviour', { listLag: 5 })).status).to.equal(400)
    expect((await put('faults', [{ effect: 'explode' }])).status).to.equal(400)
  })

  it('a reset forgets records, faults and behaviour', async () => {
    await make()
    await put('behaviour', { listLagMs: 5 })
    await fetch(`${operator.url}/_sandbox/reset`, { method: 'POST' })
    expect(await things()).to.equal(0)
    const behaviour = await (await fetch(`${operator.url}/_sandbox/behaviour`)).json()
    expect(behaviour).to.include({ listLagMs: 0 })
  })
})

describe('sandbox records', () => {
  it('outlive the sandbox, the ledger with them', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'sandbox-'))
    try {
      const first = await startOperator(counting, { ...quick, dir })
      await fetch(`${first.url}/things?name=kept`, { method: 'POST' })
      const second = await startOperator(counting, { ...quick, dir }) // the first was not closed: as after a kill
      const answer = await (await fetch(`${second.url}/things`)).json()
      const ledger = (await (await fetch(`${second.url}/_sandbox/ledger`)).json()) as { nodes: { name: string }[] }
      expect(answer).to.include({ things: 1 })
      expect(ledger.nodes.map((node) => node.name)).to.deep.equal(['kept'])
      await first.close()
      await second.close()
    } finally {
      await rm(dir, { recursive: true })
    }
  })
})
