/**
 * A provider's whole list × what the store believes → what is not as it should be, and what may be done about it. The
 * looks at single allocations (`reconcile.ts`) keep each allocation in order; this finds what no such look can see:
 * nodes of allocations that have ended or are somewhere else, nodes that were renamed at the operator, nodes that the
 * store has never heard of.
 *
 * A node that is not wanted never becomes wanted again, because no name is used twice. So it does not matter how much
 * later than the list the store was read, as long as it was later: whatever the list shows was written down before.
 */
import type { SweepAction, SweepKind } from '../../shared/reconciliation.ts'
import type { OtherNode, ProviderNode } from '../../shared/provider.ts'
import type { EpochMs } from '../../shared/time.ts'

/** An allocation as the store has it, seen from one provider. */
export interface KnownAllocation {
  /** `hold`: it wants its nodes there. `leave`: looks are giving them back. `none`: it has no business there (any more). */
  readonly intent: 'hold' | 'leave' | 'none'
  readonly clusterId: string | null
}

/** A node that an allocation of intent `hold` wants: its newest generation, under the name written down for it. */
export interface BelievedNode {
  readonly allocationId: string
  readonly name: string
  readonly providerInstanceId: string | null
  readonly ready: boolean
}

export interface SweepSituation {
  readonly installationId: string
  /** All that the provider lists, ours and others', in any order. */
  readonly listed: readonly ProviderNode[]
  /** Nodes in our clusters that carry no tag of ours, as far as the provider tells; those taken over among them. */
  readonly others: readonly OtherNode[]
  /** Those that the list names and those that want nodes at the provider, by id. */
  readonly allocations: ReadonlyMap<string, KnownAllocation>
  readonly believed: readonly BelievedNode[]
}

export interface Found {
  readonly kind: SweepKind
  readonly providerInstanceId: string
  readonly name: string
  readonly allocationId: string | null
  readonly clusterId: string | null
}

/** By provider instance id; each at most once. Nodes of others that stand in none of our clusters are not our business. */
export function findingsOf(situation: SweepSituation): Found[] {
  const { installationId, allocations, believed } = situation
  const listed = new Map(situation.listed.map((node) => [node.providerInstanceId, node]))
  const names = new Set([...listed.values()].filter((node) => isOurs(node, installationId)).map((node) => node.name))
  const wanted = wantedBy(believed)
  const found: Found[] = []
  for (const node of listed.values()) {
    const kind = kindOf(node, { installationId, allocations, wanted })
    if (kind === null) continue
    const allocationId = isOurs(node, installationId) ? (node.owner?.allocationId ?? null) : null
    const knownAt = allocations.get(allocationId ?? '')?.clusterId ?? null
    found.push({ ...named(node), kind, allocationId, clusterId: node.clusterId ?? knownAt })
  }
  const known = new Set([...listed.keys(), ...believed.map((node) => node.providerInstanceId)])
  for (const node of new Map(situation.others.map((other) => [other.providerInstanceId, other])).values()) {
    if (known.has(node.providerInstanceId)) continue
    found.push({ ...named(node), kind: 'leftover', allocationId: null, clusterId: node.clusterId })
  }
  for (const node of believed) {
    const { providerInstanceId, allocationId } = node
    if (providerInstanceId === null || !node.ready || listed.has(providerInstanceId) || names.has(node.name)) continue
    const clusterId = allocations.get(allocationId)?.clusterId ?? null
    found.push({ kind: 'missing', providerInstanceId, name: node.name, allocationId, clusterId })
  }
  return found.toSorted((a, b) => (a.providerInstanceId < b.providerInstanceId ? -1 : 1))
}

const named = ({ providerInstanceId, name }: OtherNode | ProviderNode) => ({ providerInstanceId, name })

const isOurs = ({ owner }: ProviderNode, installationId: string): boolean => owner?.installationId === installationId

/** Names and provider instance ids, each with its allocation: a node of one allocation is of no use to another. */
const wantedBy = (believed: readonly BelievedNode[]): ReadonlySet<string> =>
  new Set(
    believed.flatMap(({ allocationId, name, providerInstanceId }) => [
      wantedKey(allocationId, name),
      ...(providerInstanceId === null ? [] : [wantedKey(allocationId, providerInstanceId)]),
    ]),
  )

const wantedKey = (allocationId: string, text: string): string => `${allocationId} ${text}`

interface Known {
  readonly installationId: string
  readonly allocations: SweepSituation['allocations']
  readonly wanted: ReadonlySet<string>
}

function kindOf(node: ProviderNode, { installationId, allocations, wanted }: Known): SweepKind | null {
  const { owner } = node
  if (owner === null || owner.installationId !== installationId) return node.clusterId === null ? null : 'leftover'
  const allocation = allocations.get(owner.allocationId)
  if (allocation === undefined) return 'unknown'
  if (allocation.intent === 'leave') return null
  const isWanted =
    wanted.has(wantedKey(owner.allocationId, node.name)) ||
    wanted.has(wantedKey(owner.allocationId, node.providerInstanceId))
  return isWanted ? null : 'orphan'
}

/** What an earlier sweep stored of the same finding. */
export interface Remembered {
  readonly since: EpochMs
  /** A person has said what is to become of it: ours may go, and somebody else's is in nobody's way. */
  readonly approved: boolean
}

export interface Permission {
  readonly now: EpochMs
  /** For how long the provider's list may still show what is gone. */
  readonly visibilityDelayMs: number
  /** Nobody may make or delete anything at the provider. */
  readonly frozen: boolean
  /** After a restore: nothing is deleted that no person has asked for. */
  readonly deletesHeld: boolean
  /** Provider instance ids that sweeps asked to go within the last hour: asking again counts once. */
  readonly asked: ReadonlySet<string>
  readonly maxDeletesPerHour: number
}

export interface Finding extends Found {
  readonly since: EpochMs
  readonly approved: boolean
  readonly action: SweepAction
}

/**
 * What may be done. Deleted is what carries our tag, belongs to an allocation in the store that does not want it, and did
 * so in an earlier look already, made longer ago than a list may lag; or what carries our tag and a person has approved.
 *
 * @param before by `findingKey`
 */
export function decideActions(
  found: readonly Found[],
  before: ReadonlyMap<string, Remembered>,
  permission: Permission,
): Finding[] {
  const { now, asked, maxDeletesPerHour } = permission
  const findings = found.map((one) => {
    const earlier = before.get(findingKey(one))
    return {
      ...one,
      since: earlier?.since ?? now,
      approved: earlier?.approved ?? false,
      seenBefore: earlier !== undefined,
    }
  })
  const counted = new Set(asked)
  const oldestFirst = findings.toSorted(
    (a, b) => a.since - b.since || (a.providerInstanceId < b.providerInstanceId ? -1 : 1),
  )
  return oldestFirst.map(({ seenBefore, ...finding }) => {
    const action = actionFor(finding, seenBefore, permission)
    if (action !== 'delete' || finding.approved) return { ...finding, action }
    if (!counted.has(finding.providerInstanceId) && counted.size >= maxDeletesPerHour) {
      return { ...finding, action: 'hold' }
    }
    counted.add(finding.providerInstanceId)
    return { ...finding, action }
  })
}

export const findingKey = ({ kind, providerInstanceId }: Pick<Found, 'kind' | 'providerInstanceId'>): string =>
  `${kind} ${providerInstanceId}`

function actionFor(
  { kind, since, approved }: Pick<Finding, 'kind' | 'since' | 'approved'>,
  seenBefore: boolean,
  { now, visibilityDelayMs, frozen, deletesHeld }: Permission,
): SweepAction {
  if (kind === 'missing') return 'repair'
  if (kind === 'leftover') return approved ? 'ignore' : 'drain'
  if (approved) return frozen ? 'hold' : 'delete'
  if (kind === 'unknown') return 'ask'
  if (!seenBefore || now - since < visibilityDelayMs) return 'watch'
  return frozen || deletesHeld ? 'hold' : 'delete'
}
