/**
 * Three replicas that are replaced one after the other, as a new version is brought in, while callers go on asking. With
 * `PREVIOUS_RELEASE`, the folder of an installed release before this one, the three run that at first, on a store that has
 * this version's migrations: old and new code on one database.
 */
import { join } from 'node:path'
import { expect } from 'chai'
import { before, describe, it } from 'mocha'
import { Allocation } from '../../shared/allocation.ts'
import { pageOf } from '../../shared/text.ts'
import { allocationBody, approve, freshId } from '../api/requests.ts'
import { type BrokerFiles, brokerFiles, type BrokerProcess, startBrokerProcess } from '../durability/broker-process.ts'
import { eventually } from '../durability/eventually.ts'
import { startOperators } from '../durability/operators.ts'
import { type ApiClient, createApiClient, tokenFor } from '../support/api-client.ts'
import { type DatabasePlace, newDatabasePlace, openAt } from '../support/database.ts'
import { endsInTheEnd } from '../support/ends.ts'
import { type LoadBalancer, startLoadBalancer } from './load-balancer.ts'

const REPLICAS = 3
const AT_LEAST = 10_000
const CALLERS = 12
/** One request in so many creates an allocation. */
const CREATES_EVERY = 10
/** Much longer than the load balancer takes to notice, on a machine that has other things to do, too. */
const SHUTDOWN_DELAY_SECONDS = 3

const previous = process.env['PREVIOUS_RELEASE']
const previousMain = previous === undefined ? undefined : join(previous, 'dist/broker/main.js')

describe('a rolling restart of three replicas', () => {
  let place: DatabasePlace
  let files: BrokerFiles
  let balancer: LoadBalancer
  let brokers: BrokerProcess[] = []
  let platform: ApiClient
  const errors: string[] = []

  const ends = endsInTheEnd()

  /** @param main default: this version */
  const start = async (main?: string): Promise<BrokerProcess> => {
    const env = {
      ...files.env,
      DATA_DIR: place.folder,
      DATABASE_URL: place.url ?? '',
      SHUTDOWN_DELAY_SECONDS: String(SHUTDOWN_DELAY_SECONDS),
      RATE_LIMIT_PER_SECOND: '100000', // one client asks for all
    }
    const broker = await startBrokerProcess(env, (line) => errors.push(line), main)
    ends(() => broker.kill())
    balancer.add(broker.url)
    await eventually('requests sent there', async () => balancer.isServing(broker.url), Boolean)
    return broker
  }

  before(async function () {
    this.timeout(120_000)
    const operators = await startOperators()
    ends(() => operators.close())
    place = await newDatabasePlace('postgres')
    ends(() => place.remove())
    files = await brokerFiles(operators.settings)
    ends(() => files.remove())
    balancer = await startLoadBalancer()
    ends(() => balancer.close())
    if (previousMain !== undefined) await (await openAt(place)).close() // runs this version's migrations
    brokers = await Promise.all(Array.from({ length: REPLICAS }, () => start(previousMain)))
    const authorization = `Bearer ${await tokenFor(operators.identityUrl, 'platform')}`
    platform = createApiClient({ url: () => balancer.url, authorization })
  })

  /** One after the other, each replaced by a new process before the next one leaves. */
  async function replaceAll(): Promise<void> {
    for (const old of brokers) {
      expect(await old.terminate()).to.equal(0)
      balancer.remove(old.url)
      brokers = [...brokers.filter((one) => one !== old), await start()]
    }
  }

  it(`fails none of ${AT_LEAST} requests, and does each of them once`, async function () {
    this.timeout(600_000)
    const approvalId = await approve(platform)
    const run = { asked: 0, isOver: false }
    const created: string[] = []
    const statuses = new Map<number, number>()
    const ask = async (nth: number): Promise<void> => {
      const creates = nth % CREATES_EVERY === 0
      const got = creates
        ? await platform.post('/v1/allocations', allocationBody(approvalId), { 'idempotency-key': freshId('key') })
        : await platform.get(nth % 2 === 0 ? '/v1/clusters' : `/v1/allocations?approvalId=${approvalId}&limit=5`)
      statuses.set(got.status, (statuses.get(got.status) ?? 0) + 1)
      if (creates) created.push(got.as(201, Allocation).id)
    }
    const callers = Array.from({ length: CALLERS }, async () => {
      while (!run.isOver) await ask((run.asked += 1))
    })
    const rolling = (async () => {
      do await replaceAll()
      while (run.asked < AT_LEAST)
    })().finally(() => {
      run.isOver = true
    })
    const ended = await Promise.allSettled([rolling, ...callers])

    expect(balancer.failures).to.deep.equal([])
    for (const one of ended) if (one.status === 'rejected') throw one.reason
    expect([...statuses.keys()].toSorted((a, b) => a - b)).to.deep.equal([200, 201])
    expect(run.asked).to.be.at.least(AT_LEAST)
    expect(errors).to.deep.equal([])
    expect(new Set(created).size).to.equal(created.length)
    expect(await allOf(approvalId)).to.have.members(created)
  })

  async function allOf(approvalId: string): Promise<readonly string[]> {
    const ids: string[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const after: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
      const got = await platform.get(`/v1/allocations?approvalId=${approvalId}&limit=500${after}`)
      const page = got.as(200, pageOf(Allocation))
      ids.push(...page.items.map(({ id }) => id))
      cursor = page.nextCursor
    }
    return ids
  }
})
