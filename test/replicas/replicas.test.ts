import { expect } from 'chai'
import { before, describe, it } from 'mocha'
import pg from 'pg'
import type { Allocation } from '../../shared/allocation.ts'
import { approve, release } from '../api/requests.ts'
import { allocateAt, untilStatus } from '../durability/allocations.ts'
import { brokerFiles, type BrokerProcess, startBrokerProcess } from '../durability/broker-process.ts'
import { eventually, WITHIN_MS } from '../durability/eventually.ts'
import { OPERATORS, type Operators, startOperators } from '../durability/operators.ts'
import { type ApiClient, createApiClient, tokenFor } from '../support/api-client.ts'
import { type DatabasePlace, newDatabasePlace } from '../support/database.ts'
import { endsInTheEnd } from '../support/ends.ts'

const NODES = 16
const PER_OPERATOR = 4
/** A lease of 20 s, and the time until somebody looks for what has run out. */
const TAKEN_OVER_WITHIN_MS = 30_000

describe('three replicas on one PostgreSQL', () => {
  let operators: Operators
  let place: DatabasePlace
  let brokers: BrokerProcess[]
  let clients: ApiClient[]
  const ends = endsInTheEnd()
  before(async function () {
    this.timeout(120_000)
    operators = await startOperators()
    ends(() => operators.close())
    place = await newDatabasePlace('postgres')
    ends(() => place.remove())
    const files = await brokerFiles(operators.settings)
    ends(() => files.remove())
    const env = { ...files.env, DATA_DIR: place.folder, DATABASE_URL: place.url ?? '' }
    const start = async (): Promise<BrokerProcess> => {
      const broker = await startBrokerProcess(env)
      ends(() => broker.kill())
      return broker
    }
    // At once: each finds a database without a table, and one of them makes them all.
    brokers = await Promise.all(OPERATORS.map(start))
    const authorization = `Bearer ${await tokenFor(operators.identityUrl, 'platform')}`
    clients = brokers.map(({ url }) => createApiClient({ url: () => url, authorization }))
  })

  /** Who works on what: a token is of one look at one allocation, and goes with it. */
  async function claims(): Promise<readonly string[]> {
    const client = new pg.Client({ connectionString: place.url ?? '' })
    await client.connect()
    try {
      const { rows } = await client.query<{ claim: string }>(
        "select id || ' ' || claim_token as claim from allocations where claim_token is not null",
      )
      return rows.map(({ claim }) => claim)
    } finally {
      await client.end()
    }
  }

  it('take over within half a minute what a killed one was building, and build no node twice (invariants 2, 3 and 4)', async function () {
    this.timeout(WITHIN_MS)
    const [first, second, third] = clients as [ApiClient, ApiClient, ApiClient] // one for each operator
    const approval = await approve(first)
    const asked: Promise<Allocation>[] = []
    for (let n = 0; n < PER_OPERATOR; n += 1) {
      for (const [index, operator] of OPERATORS.entries()) {
        asked.push(allocateAt(clients[index] ?? first, approval, { operator, nodes: NODES }))
      }
    }
    const taken = await Promise.all(asked)
    await untilStatus(second, taken[0]?.id ?? '', ['provisioning', 'active'])
    await brokers[0]?.kill()
    const atKill = await claims()
    await eventually(
      'the killed one’s work taken over',
      claims,
      (now) => now.every((claim) => !atKill.includes(claim)),
      TAKEN_OVER_WITHIN_MS,
    )

    const active = await Promise.all(taken.map(({ id }) => untilStatus(second, id, ['active'])))
    for (const { id, placement } of active) {
      const operator = OPERATORS.find((one) => one === placement?.providerId)
      expect(operator).not.to.equal(undefined)
      if (operator === undefined) continue
      expect(await operators.idsStanding(operator, id)).to.have.length(NODES)
      expect(await operators.everBuilt(operator, id)).to.have.length(NODES)
    }

    await Promise.all(taken.map(({ id }, index) => release(index % 2 === 0 ? second : third, id)))
    await Promise.all(taken.map(({ id }) => untilStatus(third, id, ['released'])))
    await operators.untilNothingIsLeft()
  })
})
