/**
 * What placement is asked, as JSON data: it is stored with a waiting entry and with a decision, so that both can be
 * planned and replayed without the request that they came from.
 */
import type { Priority } from '../../../shared/approval.ts'
import type { EpochMs } from '../../../shared/time.ts'
import type { Cluster, Cooling, Demand, Share, Stage } from '../cluster.ts'
import type { Holding } from '../concentration.ts'

/** A cluster must meet every member that is there. An empty list matches nothing. */
export interface Requires {
  readonly architectures?: readonly string[]
  readonly gpuModels?: readonly string[]
  /** `["air"]` does not match `undisclosed`: what is not known is not promised. */
  readonly cooling?: readonly Cooling[]
  /** Compared with the cluster's full size. */
  readonly minClusterNodes?: number
  readonly providers?: readonly string[]
  /** Stage of the phase in force at the start. */
  readonly stages?: readonly Stage[]
  /** The API's default is `["government"]`. */
  readonly shares: readonly Share[]
}

export interface Prefers {
  readonly architecture?: string
  readonly cooling?: Cooling
  readonly provider?: string
}

export type RequestedPeriod =
  | { readonly kind: 'fixed'; readonly start: EpochMs; readonly end: EpochMs }
  | {
      readonly kind: 'flexible'
      readonly durationMs: number
      readonly earliestStart: EpochMs
      readonly latestStart: EpochMs | null
    }

/** What the approval still allows. Its nodes at once are counted on the calendar, at whatever place is tried. */
export interface ApprovalBounds {
  readonly approvalId: string
  /** Whose share of an architecture is counted. Absent: nobody's. */
  readonly organizationId?: string
  readonly validFrom: EpochMs
  readonly validTo: EpochMs
  readonly architectures: readonly string[]
  /** Most nodes at once, all allocations of the approval together. */
  readonly maxNodes: number
  /** GPU-time left for this allocation, in GPU-milliseconds. */
  readonly gpuMsLeft: number
}

export interface PlacementRequest {
  readonly demand: Demand
  readonly requires: Requires
  readonly prefers: Prefers
  readonly period: RequestedPeriod
  /** An alias; null: the cluster's first. */
  readonly image: string | null
  readonly priority: Priority
  /** Null in previews: no approval bounds the answer. */
  readonly approval: ApprovalBounds | null
  /** Clusters that had no room when they were asked to build it, each until when it is not tried again. Default none. */
  readonly avoid?: readonly Avoided[]
}

export interface Avoided {
  readonly clusterId: string
  readonly until: EpochMs
  /** Default: it had no room when it was asked to build. */
  readonly because?: 'provider-down' | 'no-network'
  /** The cluster's. Absent: it was left before this was written down. */
  readonly architecture?: string
}

/**
 * The architecture that a request stays with wherever it is placed again: the one it was given first, and prepared for.
 * Null where it says itself which it must have, or which it would rather have, or where it has left no place yet.
 */
export function keptArchitectureOf({ requires, prefers, avoid }: PlacementRequest): string | null {
  if (requires.architectures !== undefined || prefers.architecture !== undefined) return null
  return avoid?.find(({ architecture }) => architecture !== undefined)?.architecture ?? null
}

/** What keeps the request away from the cluster for longest; null when nothing speaks against it. */
export function avoidanceOf({ avoid }: PlacementRequest, clusterId: string, from: EpochMs): Avoided | null {
  let longest: Avoided | null = null
  for (const one of avoid ?? []) if (one.clusterId === clusterId && one.until > (longest?.until ?? from)) longest = one
  return longest
}

export const avoidedUntil = (request: PlacementRequest, clusterId: string, from: EpochMs): EpochMs | null =>
  avoidanceOf(request, clusterId, from)?.until ?? null

/** What it says of the cluster. */
export function avoidanceText({ because }: Avoided): string {
  if (because === 'provider-down') return 'was left because its provider did not answer'
  if (because === 'no-network') return 'had no network left for the organisation'
  return 'had no room when it was asked'
}

/** What of it counts in its organisation's share; null where nothing does. */
export function holdingOf(
  { approval, priority }: PlacementRequest,
  cluster: Cluster,
  { nodes, start, end }: Omit<Holding, 'organizationId' | 'cluster'>,
): Holding | null {
  const organizationId = approval?.organizationId
  if (organizationId === undefined || priority === 'idle') return null
  return { organizationId, cluster, nodes, start, end }
}

/** How long it runs, in ms; a fixed period that waits keeps it. */
export const durationOf = (period: RequestedPeriod): number =>
  period.kind === 'fixed' ? period.end - period.start : period.durationMs

/** A start after this is of no use any more. Infinite where nothing says so. */
export function lastStartOf({ period, approval }: PlacementRequest): EpochMs {
  const latestStart = period.kind === 'flexible' ? period.latestStart : null
  const lastEnd = approval?.validTo ?? Number.POSITIVE_INFINITY
  return Math.min(latestStart ?? Number.POSITIVE_INFINITY, lastEnd - durationOf(period))
}

/** The start that is no delay. */
export const askedStartOf = (period: RequestedPeriod): EpochMs =>
  period.kind === 'fixed' ? period.start : period.earliestStart

/** Whether no start is left that the request or its approval allows. */
export function isExpired({ period, approval }: PlacementRequest, now: EpochMs): boolean {
  const latestStart = period.kind === 'flexible' ? period.latestStart : null
  return (
    (latestStart !== null && latestStart < now) || (approval !== null && approval.validTo - durationOf(period) < now)
  )
}
