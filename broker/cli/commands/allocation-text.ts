/** Allocations and their nodes as people read them. */
import type { Allocation, AllocationNode, Earlier, WaitlistItem } from '../../../shared/allocation.ts'
import { NONE, count, instant, orNone } from '../screen/words.ts'
import type { Text } from '../text/text.ts'
import { type Column, factsIn } from './listing.ts'

export const ALLOCATION_COLUMNS: readonly Column<Allocation>[] = [
  { head: 'allocation', value: (one) => one.id },
  { head: 'name', value: (one) => one.name },
  { head: 'organisation', value: (one) => one.organizationId },
  { head: 'status', value: (one) => one.status },
  { head: 'cluster', value: (one) => one.placement?.clusterId ?? NONE },
  {
    head: 'ready',
    align: 'right',
    value: ({ nodes }, t) => t('{part} of {whole}', { part: nodes.ready, whole: nodes.desired }),
  },
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

export const waitlistColumns = (t: Text): readonly Column<WaitlistItem>[] => [
  { head: '#', align: 'right', value: (one) => one.position },
  { head: 'allocation', value: (one) => one.allocationId },
  { head: 'priority', value: (one) => one.priority },
  { head: 'nodes', align: 'right', value: (one) => one.nodes },
  { head: 'since (UTC)', value: (one) => instant(one.since) },
  { head: 'start expected (UTC)', value: (one) => instant(one.estimatedStart) },
  { head: 'at', value: (one) => orNone(one.estimatedClusterId) },
  { head: 'at the latest (UTC)', value: (one) => instant(one.promisedStart) },
  { head: 'why', value: (one) => one.reason },
  { head: 'earlier with', value: ({ earlier }) => changesText(earlier, t) },
]

export const allocationText = (one: Allocation, t: Text): string =>
  factsIn(t, [
    ['allocation', one.id],
    ['name', one.name],
    ['organisation', ownerText(one, t)],
    ['status', one.statusReason === null ? one.status : `${one.status} (${one.statusReason})`],
    ['placed at', placementText(one, t)],
    ['waiting', waitingText(one, t)],
    ['earlier with', earlierText(one, t)],
    ['nodes', nodesText(one, t)],
    ['labels', labelsText(one)],
    ['active since', one.activeAt === null ? null : `${instant(one.activeAt)} UTC`],
    ['released at', one.releasedAt === null ? null : `${instant(one.releasedAt)} UTC`],
  ])

const ownerText = ({ organizationId, approvalId, program }: Allocation, t: Text): string =>
  t('{organization}, approval {approval}, programme {program}', {
    organization: organizationId,
    approval: approvalId,
    program,
  })

function nodesText({ nodes }: Allocation, t: Text): string {
  const ready = t('{part} of {whole} ready', { part: nodes.ready, whole: nodes.desired })
  return nodes.failed === 0 ? ready : `${ready}, ${t('{count} failed', { count: nodes.failed })}`
}

function placementText({ placement }: Allocation, t: Text): string | null {
  if (placement === null) return null
  const { clusterId, nodes, gpus, gpuModel, start, end } = placement
  return t('{cluster}: {nodes} nodes, {gpus} {model}, {start} to {end} UTC', {
    cluster: clusterId,
    nodes,
    gpus: count(gpus),
    model: gpuModel,
    start: instant(start),
    end: instant(end),
  })
}

function waitingText({ waitlist }: Allocation, t: Text): string | null {
  if (waitlist === null) return null
  const { position, estimatedStart, estimatedClusterId, promisedStart, reason } = waitlist
  return t('no. {position} in line, expected {start} UTC at {cluster}, {latest} UTC at the latest. {reason}', {
    position,
    start: instant(estimatedStart),
    cluster: orNone(estimatedClusterId),
    latest: instant(promisedStart),
    reason,
  })
}

function earlierText({ waitlist }: Allocation, t: Text): string | null {
  const changes = waitlist?.earlier ?? []
  return changes.length === 0 ? null : changesText(changes, t)
}

const changesText = (changes: readonly Earlier[], t: Text): string =>
  changes.map((one) => `${changeText(one, t)} (${instant(one.estimatedStart)} UTC)`).join(', ')

function changeText(one: Earlier, t: Text): string {
  if (one.change === 'architecture') return one.to
  const amount = count(one.to)
  if (one.change === 'nodes') return one.to === 1 ? t('1 node') : t('{count} nodes', { count: amount })
  return one.to === 1 ? t('1 hour') : t('{count} hours', { count: amount })
}

function labelsText({ labels }: Allocation): string | null {
  const pairs = Object.entries(labels)
  return pairs.length === 0 ? null : pairs.map(([key, value]) => `${key}=${value}`).join(', ')
}
