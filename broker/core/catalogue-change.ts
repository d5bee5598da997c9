/** What a new inventory changes: which clusters, and which of their facts. */
import type { Cluster } from './cluster.ts'

export interface ClusterChange {
  readonly clusterId: string
  readonly change: 'added' | 'removed' | 'changed'
  /** The facts that differ; of a cluster that is added or removed, its phases. By name. */
  readonly members: readonly (keyof Cluster)[]
  readonly before: Cluster | null
  readonly after: Cluster | null
}

/** By cluster id; empty when nothing differs. */
export function catalogueChanges(before: readonly Cluster[], after: readonly Cluster[]): ClusterChange[] {
  const old = new Map(before.map((cluster) => [cluster.id, cluster]))
  const fresh = new Map(after.map((cluster) => [cluster.id, cluster]))
  return [...new Set([...old.keys(), ...fresh.keys()])].toSorted().flatMap((clusterId) => {
    const change = changeOf(clusterId, old.get(clusterId) ?? null, fresh.get(clusterId) ?? null)
    return change === null ? [] : [change]
  })
}

function changeOf(clusterId: string, before: Cluster | null, after: Cluster | null): ClusterChange | null {
  if (before === null || after === null) {
    return { clusterId, change: before === null ? 'added' : 'removed', members: ['phases'], before, after }
  }
  // A fact may be there only before, or only after.
  const members = [...new Set([...Object.keys(before), ...Object.keys(after)] as (keyof Cluster)[])]
    .filter((member) => factText(before, member) !== factText(after, member))
    .toSorted()
  return members.length === 0 ? null : { clusterId, change: 'changed', members, before, after }
}

/** Phases member by member: a store may give their members back in another order. */
const factText = (cluster: Cluster, member: keyof Cluster): string =>
  JSON.stringify(
    member === 'phases'
      ? cluster.phases.map(({ from, nodes, stage, basis }) => [from, nodes, stage, basis])
      : cluster[member],
  )
