import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { createClient } from '../../broker/client/client.ts'
import { collect } from '../../broker/client/collect.ts'
import type { CallOptions, IfNoneMatchOption } from '../../broker/client/calls.ts'
import { clientCredentials } from '../../broker/client/credentials.ts'
import type { AnswerFacts } from '../../broker/client/exchange.ts'
import { ProblemError } from '../../broker/client/problem-error.ts'
import { approvalRequest } from '../../broker/http/examples.ts'
import { closeAll } from '../support/close-all.ts'
import { until } from '../support/api-client.ts'
import { START_WITHIN_MS, type TestBroker, startTestBroker } from '../support/broker.ts'
import { EXAMPLE, WHAT_IT_SAYS, runNode } from './guide-example.ts'

type Conditional = CallOptions & IfNoneMatchOption

const CLIENT = new URL('../../broker/client/index.ts', import.meta.url).href

describe('the client and a real broker', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gpu-broker-guide-'))
  let broker: TestBroker
  before(async function start() {
    this.timeout(START_WITHIN_MS)
    broker = await startTestBroker({ engine: 'pglite' })
  })
  after(() =>
    closeAll(
      () => broker.stop(),
      () => rmSync(folder, { recursive: true }),
    ),
  )

  it('do what the program on the page about the client says', async function run() {
    this.timeout(60_000)
    const file = join(folder, 'example.ts')
    writeFileSync(file, EXAMPLE.replace('gpu-broker/client', CLIENT))
    const env = { BROKER_URL: broker.url, BROKER_ISSUER: broker.sandbox.identityUrl }
    const { status, out, err } = await runNode([file], { env })
    expect(status, err).to.equal(0)
    expect(out).to.match(WHAT_IT_SAYS)
  })

  it('send nothing again that the caller has already, and change nothing that the caller has not seen', async () => {
    const credentials = { issuer: broker.sandbox.identityUrl, clientId: 'platform', clientSecret: 'platform-secret' }
    const client = createClient({ baseUrl: broker.url, tokens: clientCredentials(credentials) })
    let etag: string | null = null
    const onAnswer = (answer: AnswerFacts): void => void (etag = answer.etag)
    const id = 'apr-conditional'
    await client.putApproval(id, approvalRequest, { ifNoneMatch: '*', onAnswer })
    const first = etag ?? expect.fail('an approval has an ETag')
    expect(await client.getApproval(id, { ifNoneMatch: first })).to.equal(null)
    await client.putApproval(id, { ...approvalRequest, note: 'changed' }, { ifMatch: first })
    expect(await client.getApproval(id, { ifNoneMatch: first, onAnswer })).to.have.property('note', 'changed')
    expect(etag).not.to.equal(first)
    for (const options of [{ ifMatch: first }, { ifNoneMatch: '*' }] as const) {
      const refusal: unknown = await client.putApproval(id, approvalRequest, options).catch((error: unknown) => error)
      expect(refusal).to.be.instanceOf(ProblemError).with.property('code', 'stale')
    }
    const reads = [
      client.getCalendarHead,
      client.getAuditChain,
      (options: Conditional) => client.getProvider('nhn', options),
    ]
    for (const read of reads) {
      await read({ ifNoneMatch: null, onAnswer })
      expect(await read({ ifNoneMatch: etag })).to.equal(null)
    }
  })

  it('lose no event and double none, however often the connection of a stream breaks', async function stream() {
    this.timeout(60_000)
    const credentials = { issuer: broker.sandbox.identityUrl, clientId: 'platform', clientSecret: 'platform-secret' }
    const tokens = clientCredentials(credentials)
    const direct = createClient({ baseUrl: broker.url, tokens })
    const breaking = await startBreakingProxy(new URL(broker.url))
    const broken = createClient({ baseUrl: breaking.url, tokens, retry: { firstPauseMs: 1, maxPauseMs: 5 } })
    const streamed: number[] = []
    const read = async (): Promise<void> => {
      for await (const { sequence, subject } of broken.streamEvents({ types: ['approval.put'] })) {
        streamed.push(sequence)
        if (subject === 'approvals/last') break
      }
    }
    try {
      const reading = read()
      for (let round = 0; round < 20; round += 1) {
        await Promise.all([1, 2, 3].map((n) => direct.putApproval(`apr-${round}-${n}`, approvalRequest)))
        // Written all at once they could be read in a few pieces, and few connections would break.
        await until(
          async () => streamed.length,
          (count) => count >= 3 * (round + 1),
        )
      }
      await direct.putApproval('last', approvalRequest)
      await reading
      const listed = await collect(direct.listEvents({ types: ['approval.put'] }, { pageSize: 7 }))
      expect(streamed).to.deep.equal(listed.map(({ sequence }) => sequence))
      expect(listed).to.have.length.above(60)
      expect(breaking.connections()).to.be.above(4)
    } finally {
      await breaking.close()
    }
  })
})

interface BreakingProxy {
  readonly url: string
  connections(): number
  close(): Promise<void>
}

/** Forwards to `to`, and cuts each connection once so many pieces of answers have passed: somewhere in the midst of them. */
async function startBreakingProxy(to: URL, pieces = 4): Promise<BreakingProxy> {
  const open = new Set<Socket>()
  let connections = 0
  const server = createServer((near) => {
    connections += 1
    const far = connect(Number(to.port), to.hostname)
    const cut = (): void => {
      near.destroy()
      far.destroy()
    }
    for (const socket of [near, far]) {
      open.add(socket)
      socket.on('error', cut).on('close', cut)
    }
    let passed = 0
    near.on('data', (data) => void far.write(data))
    far.on('data', (data) => {
      passed += 1
      if (passed < pieces) near.write(data)
      else near.write(data.subarray(0, data.length / 2), cut)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // listening on TCP
  return {
    url: `http://127.0.0.1:${port}`,
    connections: () => connections,
    async close() {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
