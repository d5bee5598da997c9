/** A fourth operator, whom nobody in the broker has heard of, by configuration alone: docs/examples/moonrabbit. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { readProviders } from '../../broker/config.ts'
import { moonrabbit } from '../../docs/examples/moonrabbit/operator.ts'
import { AllocationNode } from '../../shared/allocation.ts'
import { ProviderView } from '../../shared/cluster.ts'
import { pageOf } from '../../shared/text.ts'
import { type SandboxOperator, startSandboxOperator } from '../contract/sandbox-operator.ts'
import { closeAll } from '../support/close-all.ts'
import type { ApiClient } from '../support/api-client.ts'
import { START_WITHIN_MS, type TestBroker, startTestBroker } from '../support/broker.ts'
import { type TestSandbox, startTestSandbox } from '../support/sandbox.ts'
import { allocate, approve, reaches, release } from './requests.ts'

const example = (name: string): string =>
  fileURLToPath(new URL(`../../docs/examples/moonrabbit/${name}`, import.meta.url))
const SECRET = 'a-secret-of-the-moon'

describe('an operator behind our own protocol', () => {
  let operator: SandboxOperator
  let sandbox: TestSandbox
  let broker: TestBroker
  let platform: ApiClient
  before(async function start() {
    this.timeout(START_WITHIN_MS)
    operator = await startSandboxOperator(moonrabbit({ id: 'gpu-broker', secret: SECRET }))
    sandbox = await startTestSandbox()
    const env = {
      MOONRABBIT_URL: operator.url,
      MOONRABBIT_TOKEN_URL: `${operator.url}/token`,
      MOONRABBIT_SECRET: SECRET,
    }
    const providers = readProviders(example('providers.json'), env)
    const readInventory = (): unknown => JSON.parse(readFileSync(example('inventory.json'), 'utf8'))
    const settings = { ...sandbox.settings, providers, readInventory }
    broker = await startTestBroker({ sandbox: { ...sandbox, settings } })
    platform = await broker.as('platform')
  })
  after(() =>
    closeAll(
      () => broker.stop(),
      () => sandbox.close(),
      () => operator.close(),
    ),
  )

  const standing = async (): Promise<number> =>
    (await operator.ledger()).nodes.filter(({ deletedAt }) => deletedAt === null).length

  it('is given an allocation, builds and joins its nodes, and has none left after the release', async () => {
    const approvalId = await approve(platform)
    const created = await allocate(platform, approvalId, { period: { durationHours: 24 }, demand: { nodes: 12 } })
    expect(created.placement).to.include({ providerId: 'moonrabbit', clusterId: 'moonrabbit-b200-32', nodes: 12 })
    const active = await reaches(platform, created.id, 'active')
    expect(active.nodes).to.deep.equal({ desired: 12, ready: 12, failed: 0 })
    const { items } = (await platform.get(`/v1/allocations/${created.id}/nodes`)).as(200, pageOf(AllocationNode))
    expect(new Set(items.map(({ address }) => address)).size).to.equal(12)
    expect(await standing()).to.equal(12)
    const fabrics = (await operator.ledger()).others.filter(({ kind }) => kind === 'fabric-cluster')
    expect(fabrics).to.have.length(1)
    await release(platform, created.id)
    await reaches(platform, created.id, 'released')
    expect(await standing()).to.equal(0)
  })

  it('has each node built once although answers to creates are lost (invariant 2)', async () => {
    const before = (await operator.ledger()).nodes.length
    const creates = { method: 'PUT', path: '^/v1/groups/' }
    await operator.setFaults([{ match: creates, times: 2, effect: 'drop-after' }])
    const request = { period: { durationHours: 24 }, demand: { nodes: 12 } }
    const { id } = await allocate(platform, await approve(platform), request)
    await reaches(platform, id, 'active')
    expect((await operator.ledger()).nodes.length - before).to.equal(12)
    await release(platform, id)
    await reaches(platform, id, 'released')
    expect(await standing()).to.equal(0)
  })

  it('is one provider among others to whoever looks', async () => {
    const provider = (await platform.get('/v1/providers/moonrabbit')).as(200, ProviderView)
    expect(provider).to.deep.include({ id: 'moonrabbit', name: 'Moonrabbit Cloud', clusters: ['moonrabbit-b200-32'] })
    expect(provider.health.state).to.equal('up')
  })
})
