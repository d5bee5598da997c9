/** Calm after a storm: nothing hurts any more, and the broker is given time to bring everything in order. */
import type { z } from 'zod'
import { Allocation, AllocationNode } from '../../shared/allocation.ts'
import { Drain } from '../../shared/operation.ts'
import { pageOf } from '../../shared/text.ts'
import { eventually } from '../durability/eventually.ts'
import { OPERATORS } from '../durability/operators.ts'
import type { ApiClient, Got } from '../support/api-client.ts'
import type { ChaosSystem } from './system.ts'

/** A call's deadline, a dead replica's lease, a circuit's pause, and what is built after them. */
const PATIENCE_MS = 150_000
/** A machine that has other things to do makes it slower, but something moves on all the while. */
const LONGEST_MS = 4 * PATIENCE_MS

type ShownNode = z.infer<typeof AllocationNode>

/** Ends every fault, freeze, suspension and drain. */
export async function calm({ operators, platform }: ChaosSystem, clusters: readonly string[]): Promise<void> {
  for (const operator of OPERATORS) {
    await operators.setFaults(operator, [])
    await operators.setBehaviour(operator, {})
  }
  await surely(() => platform.post('/v1/operations/unfreeze'))
  for (const cluster of clusters) {
    await surely(() => platform.post(`/v1/clusters/${cluster}/resume`))
    const drains = (await surely(() => platform.get(`/v1/clusters/${cluster}/drains?limit=500`))).as(200, pageOf(Drain))
    for (const { id, liftedAt } of drains.items)
      if (liftedAt === null) await surely(() => platform.send('DELETE', `/v1/drains/${id}`))
  }
}

/** Until it is answered well: a replica may still be on its way up. */
export const surely = (ask: () => Promise<Got>): Promise<Got> =>
  eventually(
    'an answer',
    async () => await ask().catch((error: unknown) => refusedBy(error)),
    ({ status }) => status < 300,
  )

/** As an answer that says "not now". */
const refusedBy = (error: unknown): Got => ({
  status: 503,
  headers: new Headers(),
  text: String(error),
  as: () => never(error),
  problem: () => never(error),
  etag: () => never(error),
})

function never(error: unknown): never {
  throw error
}

export async function allocationsOf(platform: ApiClient, approvalId: string): Promise<Allocation[]> {
  const found: Allocation[] = []
  let cursor = ''
  do {
    const path = `/v1/allocations?approvalId=${approvalId}&limit=500${cursor === '' ? '' : `&cursor=${cursor}`}`
    const page = (await surely(() => platform.get(path))).as(200, pageOf(Allocation))
    found.push(...page.items)
    cursor = encodeURIComponent(page.nextCursor ?? '')
  } while (cursor !== '')
  return found
}

/** Until nothing is on its way: every allocation stands with all its nodes, waits, or has ended. */
export const settled = (platform: ApiClient, approvalId: string): Promise<Allocation[]> =>
  untilAll('every allocation in order', { platform, approvalId }, (one) => one.status === 'waitlisted' || isOver(one))

/** Until nobody waits any more either: a circuit that the storm has opened keeps them waiting for its pause. */
export const served = (platform: ApiClient, approvalId: string): Promise<Allocation[]> =>
  untilAll('every allocation served', { platform, approvalId }, isOver)

async function untilAll(
  what: string,
  { platform, approvalId }: { readonly platform: ApiClient; readonly approvalId: string },
  wanted: (one: Allocation) => boolean,
): Promise<Allocation[]> {
  let all: Allocation[] = []
  await untilNoneIsLeft(what, async () => {
    all = await allocationsOf(platform, approvalId)
    return all.filter((one) => !wanted(one))
  })
  return all
}

/** @throws Error with those that are left, once nothing of them has changed for as long as anything takes */
async function untilNoneIsLeft(what: string, read: () => Promise<readonly Allocation[]>): Promise<void> {
  let seen = { text: '', at: performance.now() }
  await eventually(
    what,
    async () => {
      const left = await read()
      const text = JSON.stringify(left)
      if (text !== seen.text) seen = { text, at: performance.now() }
      if (left.length > 0 && performance.now() - seen.at > PATIENCE_MS)
        throw new Error(
          `never came true: ${what}; nothing has changed for ${PATIENCE_MS} ms of: ${text.slice(0, 3_000)}`,
        )
      return left
    },
    (left) => left.length === 0,
    LONGEST_MS,
  )
}

const ENDED: ReadonlySet<Allocation['status']> = new Set(['released', 'cancelled', 'failed'])

export const hasEnded = ({ status }: Allocation): boolean => ENDED.has(status)

/** It stands with all its nodes, or has ended. */
const isOver = (one: Allocation): boolean =>
  hasEnded(one) || (one.status === 'active' && one.statusReason === null && one.nodes.ready === one.nodes.desired)

/** Releases all that has not ended, and waits until it has. */
export async function releaseAll(platform: ApiClient, approvalId: string): Promise<void> {
  for (const one of await allocationsOf(platform, approvalId))
    if (!hasEnded(one)) await surely(() => platform.post(`/v1/allocations/${one.id}/release`))
  await untilNoneIsLeft('every allocation ended', async () =>
    (await allocationsOf(platform, approvalId)).filter((one) => !hasEnded(one)),
  )
}

export async function readyNodes(platform: ApiClient, id: string): Promise<readonly ShownNode[]> {
  const got = await surely(() => platform.get(`/v1/allocations/${id}/nodes`))
  return got.as(200, pageOf(AllocationNode)).items.filter(({ status }) => status === 'ready')
}
