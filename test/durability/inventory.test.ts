import { readFile, writeFile } from 'node:fs/promises'
import { expect } from 'chai'
import { before, describe, it } from 'mocha'
import { ClusterView } from '../../shared/cluster.ts'
import { Inventory } from '../../shared/inventory.ts'
import { until } from '../support/api-client.ts'
import { START_WITHIN_MS } from '../support/broker.ts'
import { engineOfThisRun } from '../support/database.ts'
import { endsInTheEnd } from '../support/ends.ts'
import { aKilledBroker, type KilledBroker } from './killed-broker.ts'
import { startOperators } from './operators.ts'

const CLUSTER = 'kakao-b200-255'

describe('a broker process that is sent SIGHUP', () => {
  const ends = endsInTheEnd()
  let broker: KilledBroker
  before(async function start() {
    this.timeout(START_WITHIN_MS)
    const operators = await startOperators()
    ends(() => operators.close())
    broker = await aKilledBroker(engineOfThisRun(), operators)
    ends(() => broker.remove())
    await broker.start()
  })

  const nodesNow = async (): Promise<number> =>
    (await broker.platform.get(`/v1/clusters/${CLUSTER}`)).as(200, ClusterView).nodes

  it('reads the inventory again, and goes on running', async () => {
    const before = await nodesNow()
    const file = broker.env['INVENTORY'] ?? ''
    const inventory = Inventory.parse(JSON.parse(await readFile(file, 'utf8')))
    const smaller = inventory.clusters.map((cluster) =>
      cluster.id === CLUSTER
        ? { ...cluster, phases: cluster.phases.map((phase) => ({ ...phase, nodes: before - 55 })) }
        : cluster,
    )
    await writeFile(file, JSON.stringify({ ...inventory, clusters: smaller }))
    expect(await nodesNow(), 'nobody looks at the file by himself').to.equal(before)
    broker.hangUp()
    expect(await until(nodesNow, (nodes) => nodes !== before)).to.equal(before - 55)
    expect(await broker.terminate()).to.equal(0)
  })
})
