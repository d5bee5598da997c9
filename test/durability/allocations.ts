/** One allocation at one operator, seen from both sides: what the API says, and what the operator's ledger says. */
import { expect } from 'chai'
import type { z } from 'zod'
import { type Allocation, AllocationNode } from '../../shared/allocation.ts'
import { pageOf } from '../../shared/text.ts'
import { allocate, look, release } from '../api/requests.ts'
import type { ApiClient } from '../support/api-client.ts'
import type { OperatorId } from '../support/sandbox.ts'
import { eventually } from './eventually.ts'
import type { Operators } from './operators.ts'

export type ShownNode = z.infer<typeof AllocationNode>

const FROM_NOW = { durationHours: 1 }

/** Starts at once, at this operator. */
export const allocateAt = (
  client: ApiClient,
  approvalId: string,
  at: { readonly operator: OperatorId; readonly nodes: number },
): Promise<Allocation> =>
  allocate(client, approvalId, {
    demand: { nodes: at.nodes },
    requires: { providers: [at.operator] },
    period: FROM_NOW,
  })

export const untilStatus = (
  client: ApiClient,
  id: string,
  statuses: readonly Allocation['status'][],
): Promise<Allocation> =>
  eventually(
    `${id} ${statuses.join(' or ')}`,
    () => look(client, id),
    ({ status }) => statuses.includes(status),
  )

export async function nodesOf(client: ApiClient, id: string): Promise<readonly ShownNode[]> {
  return (await client.get(`/v1/allocations/${id}/nodes`)).as(200, pageOf(AllocationNode)).items
}

interface BothSides {
  readonly platform: ApiClient
  readonly operators: Operators
}

interface Wanted {
  readonly id: string
  readonly operator: OperatorId
  readonly nodes: number
}

/** Until it is active; then the nodes that the broker shows as ready are exactly those that stand at the operator. */
export async function untilActiveAndTrue(
  { platform, operators }: BothSides,
  { id, operator, nodes }: Wanted,
): Promise<readonly ShownNode[]> {
  const active = await untilStatus(platform, id, ['active', 'failed', 'cancelled'])
  expect(active.status, active.statusReason ?? '').to.equal('active')
  expect(active.nodes).to.deep.equal({ desired: nodes, ready: nodes, failed: 0 })
  const shown = await nodesOf(platform, id)
  const ready = shown.filter(({ status }) => status === 'ready').map((node) => node.providerInstanceId)
  expect(ready).to.have.length(nodes)
  // A failed node may still be on its way out; what is too much goes, and what is ready stays.
  const left = await eventually(
    `${nodes} nodes standing at ${operator}`,
    () => operators.idsStanding(operator, id),
    (ids) => ids.length === nodes,
  )
  expect(left).to.have.members(ready)
  return shown
}

/** Until it has ended; then nothing of it stands at the operator, whatever was ever built. */
export async function releaseAndSeeItGone(
  { platform, operators }: BothSides,
  { id, operator }: { readonly id: string; readonly operator: OperatorId },
): Promise<Allocation> {
  await release(platform, id)
  const ended = await untilStatus(platform, id, ['released', 'cancelled'])
  expect(await operators.idsStanding(operator, id)).to.deep.equal([])
  const shown = await nodesOf(platform, id)
  expect(shown.every(({ status }) => status === 'deleted')).to.equal(true)
  return ended
}
