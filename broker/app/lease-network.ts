/**
 * Organisations kept apart: in each cluster an organisation's nodes stand in a network of its own, which it has from the
 * first node that is named there until the provider lists none of them any more.
 */
import type { AllocationRow } from '../store/changes.ts'
import type { Draft } from './draft.ts'

/** What a cluster has to offer, as its provider is configured. */
export interface NetworkPool {
  /** Names, at least one. */
  readonly networks: readonly string[]
  /** Whether all organisations are in the first one: it must have been written out. */
  readonly shared: boolean
}

/**
 * Takes one unless the organisation has one there.
 *
 * @returns false when every network of the pool is somebody else's
 */
export function leaseNetwork(draft: Draft, row: AllocationRow, pool: NetworkPool): boolean {
  const { clusterId, organizationId } = row
  if (pool.shared || clusterId === null) return true
  const leases = draft.leases().filter((lease) => lease.clusterId === clusterId)
  if (leases.some((lease) => lease.organizationId === organizationId)) return true
  const taken = new Set(leases.map((lease) => lease.network))
  const network = pool.networks.find((name) => !taken.has(name))
  if (network === undefined) return false
  draft.saveLease({ clusterId, network, organizationId, since: draft.now })
  return true
}

/** The provider lists nothing of the allocation any more: with the organisation's last one there, its lease ends. */
export function leaveNetwork(draft: Draft, { clusterId, organizationId }: AllocationRow): void {
  if (clusterId !== null) draft.noteLeaving({ clusterId, organizationId })
}
