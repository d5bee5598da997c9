/** Allocations and their nodes as people read them. */
import type { Allocation, AllocationNode, Earlier, WaitlistItem } from '../../../shared/allocation.ts'
import { type Column, facts } from '../screen/table.ts'
import { NONE, count, instant, orNone } from '../screen/words.ts'

export const ALLOCATION_COLUMNS: readonly Column<Allocation>[] = [
  { head: 'allocation', value: (one) => one.id },
  { head: 'name', value: (one) => one.name },
  { head: 'organisation', value: (one) => one.organizationId },
  { head: 'status', value: (one) => one.status },
  { head: 'cluster', value: (one) => one.placement?.clusterId ?? NONE },
  { head: 'ready', align: 'right', value: (one) => `${one.nodes.ready} of ${one.nodes.desired}` },
  { head: 'start (UTC)', value: (one) => instant(one.placement?.start ?? one.waitlist?.estimatedStart ?? null) },
  { head: 'end (UTC)', value: (one) => instant(one.placement?.end ?? null) },
]

export const NODE_COLUMNS: readonly Column<AllocationNode>[] = [
  { head: '#', align: 'right', value: (one) => one.ordinal },
  { head: 'try', align: 'right', value: (one) => one.generation },
  { head: 'node', value: (one) => one.name },
  { head: 'status', value: (one) => one.status },
  { head: 'address', value: (one) => orNone(one.address) },
  { head: 'at the operator', value: (one) => orNone(one.providerInstanceId) },
  { head: 'since (UTC)', value: (one) => instant(one.since) },
  {
    head: 'last error',
    value: (one) => (one.lastError === null ? '' : `${one.lastError.kind}: ${one.lastError.message}`),
  },
]

export const WAITLIST_COLUMNS: readonly Column<WaitlistItem>[] = [
  { head: '#', align: 'right', value: (one) => one.position },
  { head: 'allocation', value: (one) => one.allocationId },
  { head: 'priority', value: (one) => one.priority },
  { head: 'nodes', align: 'right', value: (one) => one.nodes },
  { head: 'since (UTC)', value: (one) => instant(one.since) },
  { head: 'start expected (UTC)', value: (one) => instant(one.estimatedStart) },
  { head: 'at', value: (one) => orNone(one.estimatedClusterId) },
  { head: 'at the latest (UTC)', value: (one) => instant(one.promisedStart) },
  { head: 'why', value: (one) => one.reason },
]

export const allocationText = (one: Allocation): string =>
  facts([
    ['allocation', one.id],
    ['name', one.name],
    ['organisation', `${one.organizationId}, approval ${one.approvalId}, programme ${one.program}`],
    ['status', one.statusReason === null ? one.status : `${one.status} (${one.statusReason})`],
    ['placed at', placementText(one)],
    ['waiting', waitingText(one)],
    ['earlier with', earlierText(one)],
    [
      'nodes',
      `${one.nodes.ready} of ${one.nodes.desired} ready${one.nodes.failed === 0 ? '' : `, ${one.nodes.failed} failed`}`,
    ],
    ['labels', labelsText(one)],
    ['active since', one.activeAt === null ? null : `${instant(one.activeAt)} UTC`],
    ['released at', one.releasedAt === null ? null : `${instant(one.releasedAt)} UTC`],
  ])

function placementText({ placement }: Allocation): string | null {
  if (placement === null) return null
  const { clusterId, nodes, gpus, gpuModel, start, end } = placement
  return `${clusterId}: ${nodes} nodes, ${count(gpus)} ${gpuModel}, ${instant(start)} to ${instant(end)} UTC`
}

function waitingText({ waitlist }: Allocation): string | null {
  if (waitlist === null) return null
  const { position, estimatedStart, estimatedClusterId, promisedStart, reason } = waitlist
  const expected = `expected ${instant(estimatedStart)} UTC at ${orNone(estimatedClusterId)}`
  return `no. ${position} in line, ${expected}, ${instant(promisedStart)} UTC at the latest. ${reason}`
}

function earlierText({ waitlist }: Allocation): string | null {
  const changes = waitlist?.earlier ?? []
  return changes.length === 0
    ? null
    : changes.map((one) => `${changeText(one)} (${instant(one.estimatedStart)} UTC)`).join(', ')
}

function changeText(one: Earlier): string {
  if (one.change === 'architecture') return one.to
  return countOf(one.to, one.change === 'nodes' ? 'node' : 'hour')
}

const countOf = (amount: number, what: string): string => `${count(amount)} ${what}${amount === 1 ? '' : 's'}`

function labelsText({ labels }: Allocation): string | null {
  const pairs = Object.entries(labels)
  return pairs.length === 0 ? null : pairs.map(([key, value]) => `${key}=${value}`).join(', ')
}
