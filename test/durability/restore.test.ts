/** A store that is put back as it was earlier, while what its broker has made since stands at the operators. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { before, describe, it } from 'mocha'
import { HeldDeletes, Reconciliation, SweepFinding } from '../../shared/reconciliation.ts'
import { approve, release } from '../api/requests.ts'
import { cli, type Ran } from '../cli/cli-world.ts'
import type { ApiClient } from '../support/api-client.ts'
import { START_WITHIN_MS, startTestBroker, type TestBroker } from '../support/broker.ts'
import { type DatabasePlace, engineOfThisRun, ENGINES, newDatabasePlace } from '../support/database.ts'
import { endsInTheEnd } from '../support/ends.ts'
import { allocateAt, untilActiveAndTrue, untilStatus } from './allocations.ts'
import { eventually } from './eventually.ts'
import { type Operators, startOperators } from './operators.ts'

const NODES = 2
const operator = 'nhn'

describe('a store that was restored', function () {
  this.timeout(START_WITHIN_MS)
  let operators: Operators
  let folder: string
  const places: DatabasePlace[] = []
  let broker: TestBroker
  let platform: ApiClient
  const ends = endsInTheEnd()
  before(async () => {
    operators = await startOperators()
    ends(() => operators.close())
    folder = await mkdtemp(join(tmpdir(), 'gpu-broker-restored-'))
    ends(() => rm(folder, { recursive: true, force: true }))
    for (const engine of ENGINES.toSorted((a) => (a === engineOfThisRun() ? -1 : 1))) {
      const place = await newDatabasePlace(engine)
      ends(() => place.remove())
      places.push(place)
    }
  })

  async function start(place: DatabasePlace | undefined): Promise<void> {
    if (place === undefined) throw new Error('there are two places')
    broker = await startTestBroker({
      sandbox: operators,
      place,
      engine: place.url === null ? 'pglite' : 'postgres',
      env: { SWEEP_INTERVAL_SECONDS: '1' },
      mayPage: /"msg":"nodes carry our tag/,
    })
    platform = await broker.as('platform')
  }

  const command = (place: DatabasePlace | undefined, ...args: readonly string[]): Promise<Ran> =>
    cli(args, { env: { DATA_DIR: place?.folder ?? '', DATABASE_URL: place?.url ?? '' } })

  const findings = async (): Promise<readonly SweepFinding[]> =>
    (await platform.get(`/v1/providers/${operator}/reconciliation`)).as(200, Reconciliation).findings

  it('deletes nothing that it has forgotten or takes for ended, until a person has looked', async () => {
    await start(places[0])
    const approvalId = await approve(platform)
    const kept = await allocateAt(platform, approvalId, { operator, nodes: NODES })
    await untilActiveAndTrue({ platform, operators }, { id: kept.id, operator, nodes: NODES })
    await broker.stop() // the embedded database belongs to one process
    const file = join(folder, 'backup.gz')
    expect((await command(places[0], 'backup', file)).status).to.equal(0)
    await start(places[0])
    const later = await allocateAt(platform, approvalId, { operator, nodes: NODES })
    await untilActiveAndTrue({ platform, operators }, { id: later.id, operator, nodes: NODES })
    await broker.stop()

    const restored = await command(places[1], 'restore', file)
    expect(restored.status).to.equal(0)
    expect(restored.out).to.include('Deletions are held')
    expect(restored.err).to.match(/^allocations: 1 row$/m)
    await start(places[1])
    const seen = await eventually('what was made since', findings, (found) => found.length === NODES)
    expect(seen.every(({ kind }) => kind === 'unknown')).to.equal(true)
    await release(platform, kept.id)
    await untilStatus(platform, kept.id, ['releasing'])
    await eventually('a further sweep', findings, (found) => found.length === NODES)
    expect(await operators.idsStanding(operator, kept.id)).to.have.length(NODES)
    expect(await operators.idsStanding(operator, later.id)).to.have.length(NODES)

    const resumed = await platform.post('/v1/operations/resume-deletes')
    expect(resumed.as(200, HeldDeletes)).to.deep.equal({ deletesHeld: false })
    await untilStatus(platform, kept.id, ['released'])
    expect(await operators.idsStanding(operator, kept.id)).to.deep.equal([])
    expect(await operators.idsStanding(operator, later.id)).to.have.length(NODES)
    for (const { providerInstanceId } of seen) {
      const path = `/v1/providers/${operator}/reconciliation/nodes/${encodeURIComponent(providerInstanceId)}/delete`
      ;(await platform.post(path)).as(202, SweepFinding)
    }
    await operators.untilNothingIsLeft()
    await broker.stop()
  })
})
