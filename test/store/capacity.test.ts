import { expect } from 'chai'
import fc from 'fast-check'
import { after, before, beforeEach, describe, it } from 'mocha'
import type { Reservation } from '../../broker/core/calendar-op.ts'
import type { Cluster } from '../../broker/core/cluster.ts'
import { assertWithinCapacity, OverCapacity, reservationRows } from '../../broker/store/reservations.ts'
import { writeRows } from '../../broker/store/rows.ts'
import { HOUR_MS } from '../../shared/time.ts'
import { ENGINES, openTestDatabase, type TestDatabase } from '../support/database.ts'

const NOW = 1_790_000_000_000
const at = (hours: number): number => NOW + hours * HOUR_MS

/** Two nodes, four from the tenth hour on. */
const CLUSTER: Cluster = {
  id: 'c',
  providerId: 'p',
  gpuModel: 'B200',
  architecture: 'blackwell',
  cooling: 'liquid',
  interconnect: 'joined',
  share: 'government',
  gpusPerNode: 8,
  fp8H200PerGpu: 2.25,
  nodes: 4,
  phases: [
    { from: at(-100), nodes: 2, stage: 'general', basis: 'announced' },
    { from: at(10), nodes: 4, stage: 'general', basis: 'announced' },
  ],
  turnoverMs: 0,
  images: [],
  mapped: true,
}

let order = 0
function held(nodes: number, from: number, to: number, phase: Reservation['phase'] = 'scheduled'): Reservation {
  order += 1
  const common = { approvalId: 'a', organizationId: 'o', clusterId: CLUSTER.id, priority: 'standard', order } as const
  return { ...common, allocationId: `alc-${order}`, nodes, start: at(from), end: at(to), heldUntil: at(to), phase }
}

/** Nodes, from which hour on, for so many. */
const anyHeld = fc.tuple(
  fc.integer({ min: 1, max: 2 }),
  fc.integer({ min: 0, max: 30 }),
  fc.integer({ min: 1, max: 8 }),
)

for (const engine of ENGINES) {
  describe(`invariant 1 in SQL, on ${engine}: no commit exceeds a cluster’s capacity`, () => {
    let database: TestDatabase
    before(async () => {
      database = await openTestDatabase(engine)
    })
    beforeEach(async () => {
      await database.queries.deleteFrom('reservations').execute()
    })
    after(() => database.close())

    /** Null when the commit is let through. */
    async function refusal(
      placed: Reservation,
      beside: readonly Reservation[],
      {
        drains = [],
        grantsUntil = NOW,
      }: { drains?: readonly { nodes: number; from: number; to: number }[]; grantsUntil?: number } = {},
    ): Promise<unknown> {
      try {
        await database.transaction(async (trx) => {
          await writeRows(trx, [reservationRows([...beside, placed])])
          await assertWithinCapacity(trx, CLUSTER, drains, [placed], grantsUntil)
        })
        return null
      } catch (error) {
        return error
      }
    }

    it('lets through what fills the last node, from the very instant at which another ends', async () => {
      expect(await refusal(held(1, 0, 5), [held(1, 0, 5)])).to.equal(null)
      expect(await refusal(held(2, 5, 9), [held(2, 0, 5)])).to.equal(null)
    })

    it('refuses one node more, for an hour or for the last hour only', async () => {
      expect(await refusal(held(1, 0, 5), [held(2, 0, 5)])).to.be.instanceOf(OverCapacity)
      expect(await refusal(held(1, 0, 5), [held(2, 4, 6)])).to.be.instanceOf(OverCapacity)
    })

    it('counts three that overlap only pairwise as pairs', async () => {
      expect(await refusal(held(1, 0, 9), [held(1, 0, 4), held(1, 4, 9)])).to.equal(null)
    })

    it('looks at the first instant asked about, though nothing begins or ends then', async () => {
      const long = held(2, 0, 9)
      const other = held(1, 0, 9)
      await database.transaction((trx) => writeRows(trx, [reservationRows([long, other])]))
      const from = { ...other, start: at(3) }
      const looked = database.transaction((trx) => assertWithinCapacity(trx, CLUSTER, [], [from], NOW))
      expect(await looked.catch((error: unknown) => error)).to.be.instanceOf(OverCapacity)
    })

    it('knows a later phase, and not before it', async () => {
      expect(await refusal(held(4, 10, 12), [])).to.equal(null)
      expect(await refusal(held(4, 9, 12), [])).to.be.instanceOf(OverCapacity)
    })

    it('takes drains off', async () => {
      const drain = { nodes: 1, from: at(2), to: at(3) }
      expect(await refusal(held(2, 0, 5), [], { drains: [drain] })).to.be.instanceOf(OverCapacity)
      expect(await refusal(held(2, 3, 5), [], { drains: [drain] })).to.equal(null)
    })

    it('does not blame a decision for what exceeds elsewhere in time', async () => {
      expect(await refusal(held(2, 6, 8), [held(2, 0, 5), held(2, 1, 4)])).to.equal(null)
    })

    it('counts idle-use until its nodes can be had back', async () => {
      const grant = { ...held(2, 0, 9, 'running'), priority: 'idle' as const }
      expect(await refusal(held(1, 0, 5), [grant], { grantsUntil: at(1) })).to.be.instanceOf(OverCapacity)
      expect(await refusal(held(2, 1, 5), [grant], { grantsUntil: at(1) })).to.equal(null)
    })

    it('counts idle-use that was told until it has given its nodes back', async () => {
      const grant = { ...held(2, 0, 9, 'running'), priority: 'idle' as const }
      const told = { ...grant, reclaimedAt: at(2), heldUntil: at(3) }
      expect(await refusal(held(1, 2, 5), [told], { grantsUntil: at(1) })).to.be.instanceOf(OverCapacity)
      expect(await refusal(held(2, 3, 5), [told], { grantsUntil: at(1) })).to.equal(null)
    })

    it('of many that lie here and there it refuses exactly those that exceed somewhere within one of them', () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(anyHeld, { maxLength: 8 }),
          fc.array(anyHeld, { minLength: 1, maxLength: 5 }),
          async (beside, placed) => {
            const all = [...beside, ...placed].map(([nodes, from, hours]) => held(nodes, from, from + hours))
            const asked = all.slice(beside.length)
            let refused = false
            await database
              .transaction(async (trx) => {
                await writeRows(trx, [reservationRows(all)])
                await assertWithinCapacity(trx, CLUSTER, [], asked, NOW)
                throw new Error('nothing is to stay')
              })
              .catch((error: unknown) => void (refused = error instanceof OverCapacity))
            const exceeds = Array.from({ length: 40 }, (_, hour) => at(hour)).some(
              (instant) =>
                asked.some((one) => one.start <= instant && instant < one.heldUntil) &&
                all
                  .filter((one) => one.start <= instant && instant < one.heldUntil)
                  .reduce((sum, { nodes }) => sum + nodes, 0) > (instant < at(10) ? 2 : 4),
            )
            expect(refused).to.equal(exceeds)
          },
        ),
        { numRuns: 150 },
      ))

    it('leaves nothing of a commit that it refuses', async () => {
      await refusal(held(3, 0, 5), [])
      const left = await database.queries.selectFrom('reservations').selectAll().execute()
      expect(left).to.deep.equal([])
    })
  })
}
