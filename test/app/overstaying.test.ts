/** Nobody was there to hold in time what an operator had not let go: the database was away, or all were busy. */
import { expect } from 'chai'
import { beforeEach, describe, it } from 'mocha'
import { createAllocation } from '../../broker/app/create-allocation.ts'
import { putApproval } from '../../broker/app/put-approval.ts'
import { releaseAllocation } from '../../broker/app/release-allocation.ts'
import { startAllocation } from '../../broker/app/start-allocation.ts'
import { drainOf } from '../../broker/core/calendar-reads.ts'
import { DEFAULT_POLICY } from '../../broker/core/placement/policy.ts'
import type { AllocationRow } from '../../broker/store/changes.ts'
import { DAY_MS, HOUR_MS, toIso } from '../../shared/time.ts'
import { aCluster, NOW } from '../core/fleet.ts'
import { BUILDING, claimOn } from './history.ts'
import { withKey } from './members.ts'
import { memoryApp, type MemoryApp } from './memory-app.ts'

const NODES = 4
const TURNOVER_MS = HOUR_MS
const COMMAND = { ...withKey('none'), idempotency: null }

describe('nodes that should be gone, and that nobody has held in time (invariants 1 and 3)', () => {
  let memory: MemoryApp

  /** All of the only cluster, for a day. @returns its id */
  async function ask(startsAt: number): Promise<string> {
    const period = { start: toIso(startsAt), end: toIso(startsAt + DAY_MS) }
    const { body } = await createAllocation(memory.app, COMMAND, {
      ...{ approvalId: 'apr', name: 'job', demand: { nodes: NODES }, ifUnavailable: 'waitlist', period },
    })
    return body.id
  }
  const rowOf = (id: string): AllocationRow => {
    const row = memory.rows.allocations.get(id)
    if (row === undefined) throw new Error(`there is no ${id}`)
    return row
  }
  const start = (id: string): Promise<unknown> =>
    memory.app.writer.run(startAllocation(claimOn(memory, rowOf(id)), { ...BUILDING, asks: true }))

  beforeEach(async () => {
    const cluster = aCluster({ id: 'c', nodes: NODES, turnoverMs: TURNOVER_MS })
    memory = memoryApp({ catalogue: [cluster], policy: DEFAULT_POLICY, now: NOW })
    await putApproval(memory.app, COMMAND, 'apr', {
      ...{ organizationId: 'kaist', program: 'research', priority: 'standard' },
      limits: {
        ...{ maxNodes: 100, gpuHours: 1_000_000, architectures: ['blackwell'] },
        ...{ validFrom: toIso(NOW - DAY_MS), validTo: toIso(NOW + 90 * DAY_MS) },
      },
    })
  })

  /** It is released at once, and its operator says nothing. */
  async function oneThatStays(): Promise<string> {
    const id = await ask(NOW)
    await start(id)
    await releaseAllocation(memory.app, COMMAND, id, {})
    expect(rowOf(id)).to.include({ status: 'releasing', statusReason: null })
    return id
  }

  it('are held before anybody else is decided on: who asks for them waits', async () => {
    const stays = await oneThatStays()
    memory.now += TURNOVER_MS
    const next = await ask(memory.now)
    expect(rowOf(stays)).to.include({ status: 'releasing', statusReason: 'release-unconfirmed' })
    expect(drainOf(memory.calendar, stays)).to.include({ nodes: NODES, kind: 'quarantine' })
    expect(rowOf(next)).to.include({ status: 'waitlisted', startAt: null })
  })

  it('are held before anybody starts who was to have them next: he waits again', async () => {
    const stays = await oneThatStays()
    const next = await ask(NOW + TURNOVER_MS)
    expect(rowOf(next)).to.include({ status: 'scheduled' })
    memory.now += TURNOVER_MS
    await start(next)
    expect(rowOf(stays)).to.include({ statusReason: 'release-unconfirmed' })
    expect(rowOf(next)).to.include({ status: 'waitlisted' })
  })

  it('are not held an instant before their time', async () => {
    const stays = await oneThatStays()
    memory.now += TURNOVER_MS - 1
    await ask(memory.now)
    expect(rowOf(stays)).to.include({ status: 'releasing', statusReason: null })
    expect(drainOf(memory.calendar, stays)).to.equal(null)
  })
})
