import { expect } from 'chai'
import { describe, it } from 'mocha'
import type { App } from '../../broker/app/app.ts'
import { createAllocation } from '../../broker/app/create-allocation.ts'
import { drainCluster } from '../../broker/app/drain-cluster.ts'
import { putApproval } from '../../broker/app/put-approval.ts'
import { replanWaitlist } from '../../broker/app/replan-waitlist.ts'
import { applyOp } from '../../broker/core/calendar.ts'
import { DEFAULT_POLICY } from '../../broker/core/placement/policy.ts'
import { DAY_MS, HOUR_MS, toIso } from '../../shared/time.ts'
import type { Needs } from '../../broker/store/group.ts'
import { aCluster, NOW } from '../core/fleet.ts'
import { AT_ONCE } from './history.ts'
import { withKey } from './members.ts'
import { memoryApp, type MemoryApp } from './memory-app.ts'

const NODES = 4
const COMMAND = { ...withKey('none'), idempotency: null }
const ASKED = { approvalId: 'apr', name: 'job', demand: { nodes: NODES }, ifUnavailable: 'waitlist' } as const
const day = (nth: number): string => toIso(NOW + nth * DAY_MS)

/** One that runs from the second to the fifth day, and one behind it. @returns its id */
async function oneThatWaits({ app }: MemoryApp): Promise<string> {
  const limits = { maxNodes: 100, gpuHours: 1_000_000, validFrom: day(-1), validTo: day(90) }
  await putApproval(app, COMMAND, 'apr', {
    ...{ organizationId: 'kaist', program: 'research', priority: 'standard' },
    limits: { ...limits, architectures: ['blackwell'] },
  })
  await createAllocation(app, COMMAND, { ...ASKED, period: { start: day(2), end: day(5) } })
  const { body } = await createAllocation(app, COMMAND, { ...ASKED, period: { start: day(3), end: day(4) } })
  expect(body.status).to.equal('waitlisted')
  return body.id
}

/** As the app, but before the first such member is decided, something else happens, once. */
function interrupted(app: App, { before, happens }: { before(needs: Needs): boolean; happens(): unknown }): App {
  let isDue = true
  const run: App['writer']['run'] = async (member) => {
    if (isDue && before(member.needs)) {
      isDue = false
      await happens()
    }
    return app.writer.run(member)
  }
  return { ...app, writer: { ...app.writer, run } }
}

describe('promises of those who are displaced', () => {
  it('are held against a plan that was made since, and not against one that knew nothing of it', async () => {
    const memory = memoryApp({ catalogue: [aCluster({ id: 'c', nodes: NODES })], policy: DEFAULT_POLICY, now: NOW })
    const { app, rows } = memory
    const id = await oneThatWaits(memory)
    const before = rows.allocations.get(id)
    const drain = { nodes: NODES, from: toIso(NOW + 5 * DAY_MS + HOUR_MS), to: day(7), reason: 'a fan' }
    await replanWaitlist(
      interrupted(app, {
        before: ({ displaced }) => displaced !== undefined,
        happens: () => drainCluster(app, COMMAND, 'c', drain),
      }),
      AT_ONCE,
    )
    expect(rows.allocations.get(id)).to.include({ promisedStartAt: before?.promisedStartAt })
    await replanWaitlist(app, AT_ONCE)
    const after = rows.allocations.get(id)
    expect(after).to.include({ promisedStartAt: before?.promisedStartAt, displacedBy: null })
    expect(after?.estimatedStartAt).to.be.within(NOW + 7 * DAY_MS, NOW + 7 * DAY_MS + HOUR_MS)
    expect(memory.events.map(({ type }) => type)).not.to.include('kr.gpubroker.allocation.promise-slipped')
  })

  it('are held against no plan that was made on what was then taken back', async () => {
    const memory = memoryApp({ catalogue: [aCluster({ id: 'c', nodes: NODES })], policy: DEFAULT_POLICY, now: NOW })
    const { app, rows, calendar } = memory
    const id = await oneThatWaits(memory)
    const drain = { nodes: NODES, from: toIso(NOW + 5 * DAY_MS + HOUR_MS), to: day(7), reason: 'a fan' }
    await drainCluster(app, COMMAND, 'c', drain)
    const promised = rows.allocations.get(id)?.promisedStartAt
    // Decided ahead of the lock, this one has all that the other could have had.
    const { body } = await createAllocation(app, COMMAND, { ...ASKED, period: { start: day(7), end: day(90) } })
    const happens = (): void => {
      applyOp(calendar, { op: 'release', allocationId: body.id })
      memory.takenBack += 1
    }
    await replanWaitlist(interrupted(app, { before: () => true, happens }), AT_ONCE)
    expect(rows.allocations.get(id)).to.include({ promisedStartAt: promised })
    await replanWaitlist(app, AT_ONCE)
    expect(rows.allocations.get(id)).to.include({ promisedStartAt: promised, displacedBy: null })
    expect(memory.events.map(({ type }) => type)).not.to.include('kr.gpubroker.allocation.promise-slipped')
  })
})
