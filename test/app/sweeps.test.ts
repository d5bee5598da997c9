import { expect } from 'chai'
import { describe, it } from 'mocha'
import { createAllocation } from '../../broker/app/create-allocation.ts'
import { importFleet } from '../../broker/app/import-fleet.ts'
import { putApproval } from '../../broker/app/put-approval.ts'
import { recordSweep } from '../../broker/app/record-sweep.ts'
import { drainsOn } from '../../broker/core/calendar-reads.ts'
import { DEFAULT_POLICY } from '../../broker/core/placement/policy.ts'
import type { Finding } from '../../broker/core/sweep.ts'
import type { ProviderNode } from '../../shared/provider.ts'
import { DAY_MS, toIso } from '../../shared/time.ts'
import { aCluster, NOW } from '../core/fleet.ts'
import { withKey } from './members.ts'
import { memoryApp, type MemoryApp } from './memory-app.ts'

const COMMAND = { ...withKey('none'), idempotency: null }
const CLAIM = { providerId: 'nhn', token: 'of-this-sweep' }
const day = (nth: number): string => toIso(NOW + nth * DAY_MS)

async function aSweptApp(): Promise<MemoryApp> {
  const memory = memoryApp({ catalogue: [aCluster({ id: 'c', nodes: 4 })], policy: DEFAULT_POLICY, now: NOW })
  memory.rows.sweeps.set('nhn', {
    ...{ providerId: 'nhn', claimToken: CLAIM.token, claimedUntil: NOW + DAY_MS },
    ...{ startedAt: null, durationMs: null, nextAt: NOW },
  })
  const limits = { maxNodes: 100, gpuHours: 1_000_000, validFrom: day(-30), validTo: day(90) }
  await putApproval(memory.app, COMMAND, 'apr', {
    ...{ organizationId: 'kaist', program: 'research', priority: 'standard' },
    limits: { ...limits, architectures: ['blackwell'] },
  })
  return memory
}

const aFinding = (facts: Pick<Finding, 'kind' | 'providerInstanceId'> & Partial<Finding>): Finding => ({
  ...{ name: 'n', allocationId: null, clusterId: 'c', since: NOW, approved: false, action: 'drain' },
  ...facts,
})

/** What is known of the provider once these findings, of a list from before, are written down. */
async function recorded({ app, calendar, rows }: MemoryApp, ...findings: readonly Finding[]) {
  const result = { startedAt: NOW, durationMs: 1, findings, asked: new Set<string>(), moreInTheWay: true }
  const news = await app.writer.run(recordSweep(CLAIM, result))
  const kept = [...rows.findings.values()].filter(({ isFound }) => isFound).map(({ row }) => row.providerInstanceId)
  return { told: news?.map((one) => one.providerInstanceId), kept, drained: drainsOn(calendar, 'c').length }
}

const NOTHING = { told: [], kept: [], drained: 0 }

describe('what a sweep found', () => {
  it('is no finding any more where its allocation has been entered meanwhile', async () => {
    const memory = await aSweptApp()
    const asked = { approvalId: 'apr', name: 'job', demand: { nodes: 1 }, period: { start: day(1), end: day(2) } }
    const { body } = await createAllocation(memory.app, COMMAND, asked)
    const found = aFinding({ kind: 'unknown', providerInstanceId: 'id-1', allocationId: body.id, action: 'ask' })
    expect(await recorded(memory, found)).to.deep.equal(NOTHING)
    const another = aFinding({ ...found, providerInstanceId: 'id-2', allocationId: 'alc_forgottenforgott' })
    expect(await recorded(memory, found, another)).to.deep.equal({ told: ['id-2'], kept: ['id-2'], drained: 1 })
  })

  it('is no finding any more where somebody has taken it over meanwhile', async () => {
    const memory = await aSweptApp()
    const allocations = [
      {
        ...{ approvalId: 'apr', name: 'since before', clusterId: 'c', providerInstanceIds: ['id-1'] },
        period: { start: day(-1), end: day(1) },
      },
    ]
    const node: ProviderNode = {
      ...{ providerInstanceId: 'id-1', name: 'theirs', owner: null, clusterId: 'c', state: 'ready' },
      ...{ inFabric: true, address: null, createdAt: NOW, failure: null },
    }
    await importFleet(memory.app, COMMAND, { request: { allocations }, apply: true, list: async () => [node] })
    expect(await recorded(memory, aFinding({ kind: 'leftover', providerInstanceId: 'id-1' }))).to.deep.equal(NOTHING)
    const another = aFinding({ kind: 'leftover', providerInstanceId: 'id-2' })
    expect(await recorded(memory, another)).to.deep.equal({ told: ['id-2'], kept: ['id-2'], drained: 1 })
  })
})
