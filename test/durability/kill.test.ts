/**
 * `kill -9` at random instants while nodes are built and while they are given back, against all three operators at once.
 * `KILL_SEED` draws other instants.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { before, describe, it } from 'mocha'
import { seededRandom } from '../../deploy/sandbox/faults.ts'
import { Allocation } from '../../shared/allocation.ts'
import { pageOf } from '../../shared/text.ts'
import { allocationBody, approve, freshId, isLetIn, release } from '../api/requests.ts'
import { type ApiClient, type Got, until } from '../support/api-client.ts'
import { type Engine, engineOfThisRun } from '../support/database.ts'
import { endsInTheEnd } from '../support/ends.ts'
import { allocateAt, untilActiveAndTrue, untilStatus } from './allocations.ts'
import { failedStart } from './broker-process.ts'
import { WITHIN_MS } from './eventually.ts'
import { aKilledBroker, type KilledBroker } from './killed-broker.ts'
import { type Operators, OPERATORS, startOperators } from './operators.ts'

const NODES = 64
const BOOT_MS = 1_500

/** On PostgreSQL a dead replica's claims end with their lease, 20 s each time; on PGlite with the next start. */
const KILLS: Readonly<Record<Engine, { readonly building: number; readonly givingBack: number }>> = {
  pglite: { building: 3, givingBack: 2 },
  postgres: { building: 1, givingBack: 1 },
}

const engine = engineOfThisRun()
const seed = Number(process.env['KILL_SEED'] ?? 714_801)

describe(`a broker that is killed (seed ${seed})`, function () {
  this.timeout(WITHIN_MS)
  const random = seededRandom(seed)
  let operators: Operators
  let broker: KilledBroker
  let platform: ApiClient

  const ends = endsInTheEnd()
  before(async () => {
    operators = await startOperators()
    ends(() => operators.close())
    for (const operator of OPERATORS) await operators.setBehaviour(operator, { bootMs: BOOT_MS })
    broker = await aKilledBroker(engine, operators)
    ends(() => broker.remove())
    ;({ platform } = broker)
    await broker.start()
  })

  async function killSometimes(times: number): Promise<void> {
    for (let kill = 0; kill < times; kill += 1) {
      await pause(random() * BOOT_MS) // the instant of the kill is what is random here; nothing is waited for
      await broker.kill()
      await broker.start()
    }
  }

  it('builds exactly what was asked for, and gives all of it back (invariants 2 and 3)', async () => {
    const approvalId = await approve(platform)
    const asked = OPERATORS.map(async (operator) => {
      const { id } = await allocateAt(platform, approvalId, { operator, nodes: NODES })
      return { id, operator, nodes: NODES }
    })
    const placed = await Promise.all(asked)
    await killSometimes(KILLS[engine].building)
    for (const one of placed) await untilActiveAndTrue({ platform, operators }, one)
    for (const { id } of placed) await release(platform, id)
    await killSometimes(KILLS[engine].givingBack)
    for (const { id, operator } of placed) {
      await untilStatus(platform, id, ['released'])
      expect(await operators.idsStanding(operator, id), operator).to.deep.equal([])
    }
    await operators.untilNothingIsLeft()
  })

  it('keeps every request that it acknowledged, and makes each of them once (invariant 4)', async () => {
    const approvalId = await approve(platform)
    const keys = Array.from({ length: 40 }, () => freshId('key'))
    const ask = (key: string): Promise<string | null> => askedOnce(platform, approvalId, key)
    const asking = keys.map(ask)
    await Promise.race(asking)
    await pause(random() * 100) // as above
    await broker.kill()
    const acknowledged = await Promise.all(asking)
    expect(acknowledged.some((id) => id !== null)).to.equal(true)
    await broker.start()
    const again = await Promise.all(keys.map(ask))
    for (const [index, id] of acknowledged.entries()) if (id !== null) expect(again[index]).to.equal(id)
    const got = await platform.get(`/v1/allocations?approvalId=${approvalId}&limit=500`)
    expect(got.as(200, pageOf(Allocation)).items).to.have.length(keys.length)
  })

  it('ends within ten seconds when it is told to, in the midst of building, and goes on afterwards', async () => {
    const approvalId = await approve(platform)
    const { id } = await allocateAt(platform, approvalId, { operator: 'nhn', nodes: NODES })
    await untilStatus(platform, id, ['provisioning'])
    const askedAt = performance.now()
    expect(await broker.terminate()).to.equal(0)
    expect(performance.now() - askedAt).to.be.below(10_000)
    await broker.start()
    await untilActiveAndTrue({ platform, operators }, { id, operator: 'nhn', nodes: NODES })
    await release(platform, id)
    await untilStatus(platform, id, ['released'])
  })

  if (engine === 'pglite') {
    it('refuses a second process on its data folder, with one line that says so', async () => {
      const { status, lines } = await failedStart(broker.env)
      expect(status).to.equal(1)
      expect(lines).to.have.length(1)
      expect(lines[0]).to.match(/^gpu-broker: the data folder .+ is in use by another broker \(process \d+\)$/)
      expect((await platform.get('/v1/allocations')).status).to.equal(200)
    })
  }

  it('does not start with a bad configuration, and names the member in one line', async () => {
    const { status, lines } = await failedStart({ ...broker.env, METRICS_PORT: 'http' })
    expect(status).to.equal(1)
    expect(lines).to.have.length(1)
    expect(lines[0]).to.match(/^gpu-broker: METRICS_PORT: /)
  })
})

/** @returns the allocation's id; null when no answer came */
async function askedOnce(platform: ApiClient, approvalId: string, key: string): Promise<string | null> {
  const ask = (): Promise<Got> =>
    platform.post('/v1/allocations', allocationBody(approvalId), { 'idempotency-key': key })
  const got = await until(ask, isLetIn).catch(() => null) // killed before it answered
  return got === null ? null : got.as(201, Allocation).id
}
