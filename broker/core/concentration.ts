/**
 * The largest share of one architecture that one organisation may hold at an instant, where the catalogue sets one. Places
 * planned for those who wait count, as they do for approvals. Idle-use does not: it takes what nobody has reserved and gives
 * it back to whoever asks. A share that is lowered, or a capacity that falls, moves nobody; it only lets nobody take more.
 */
import { END_OF_TIME, type EpochMs, type Interval } from '../../shared/time.ts'
import type { Calendar } from './calendar.ts'
import type { Reservation } from './calendar-op.ts'
import { nodesFor, phaseAt, type Cluster } from './cluster.ts'

export interface Holding extends Interval {
  readonly organizationId: string
  readonly cluster: Cluster
  readonly nodes: number
}

interface Step extends Interval {
  /** Nodes that the organisation may still take; below zero where it has more than its share. */
  readonly left: number
}

/** The first instant of the holding at which it would exceed the share; null where it never does. */
export function shareExceededAt(calendar: Calendar, holding: Holding): EpochMs | null {
  const short = stepsLeft(calendar, holding).find((step) => step.left < holding.nodes)
  return short === undefined ? null : Math.max(short.start, holding.start)
}

/** When the last obstacle inside the holding ends: no earlier start in it will do. Null where there is none. */
export const shareBlocksUntil = (calendar: Calendar, holding: Holding): EpochMs | null =>
  stepsLeft(calendar, holding).findLast((step) => step.left < holding.nodes)?.end ?? null

/** The fewest nodes that it may still take within the holding, not below zero. */
export const leastLeft = (calendar: Calendar, holding: Holding): number =>
  Math.max(0, Math.min(...stepsLeft(calendar, holding).map((step) => step.left)))

/** What is left to the organisation, as steps that reach into the holding; none where no share is set. */
function stepsLeft(calendar: Calendar, { organizationId, cluster, start, end }: Holding): Step[] {
  const share = cluster.maxSharePerOrganization
  if (share === undefined) return []
  const changes = [
    ...capacityChanges(clustersAlike(calendar, cluster)),
    ...heldBy(calendar, organizationId, cluster.architecture).flatMap((held) => [
      { at: held.start, capacity: 0, held: held.nodes },
      { at: held.end, capacity: 0, held: -held.nodes },
    ]),
  ].toSorted((a, b) => a.at - b.at)
  const steps: Step[] = []
  let [capacity, held] = [0, 0]
  for (const [index, change] of changes.entries()) {
    capacity += change.capacity
    held += change.held
    const until = changes[index + 1]?.at ?? END_OF_TIME
    if (until > change.at && change.at < end && until > start)
      steps.push({ start: change.at, end: until, left: shareOf(capacity, share) - held })
  }
  return steps
}

const shareOf = (nodes: number, percent: number): number => Math.floor((nodes * percent) / 100)

const isAlike = (cluster: Cluster, other: Cluster): boolean =>
  cluster.mapped && cluster.architecture === other.architecture

/** Of the same architecture, as far as something can be placed there. */
const clustersAlike = ({ listed }: Calendar, other: Cluster): Cluster[] =>
  listed.map(({ cluster }) => cluster).filter((cluster) => isAlike(cluster, other))

const capacityChanges = (clusters: readonly Cluster[]) =>
  clusters.flatMap(({ phases }) =>
    phases.map(({ from, nodes }, index) => ({ at: from, capacity: nodes - (phases[index - 1]?.nodes ?? 0), held: 0 })),
  )

function heldBy(calendar: Calendar, organizationId: string, architecture: string): Reservation[] {
  const found: Reservation[] = []
  for (const allocationId of calendar.heldBy.get(organizationId) ?? []) {
    const state = calendar.clusters.get(calendar.reservedAt.get(allocationId) ?? '')
    const reservation = state?.reservations.get(allocationId)?.what
    if (state?.cluster.architecture !== architecture || reservation === undefined) continue
    if (reservation.priority !== 'idle') found.push(reservation)
  }
  return found
}

/** The most that one organisation may ever hold of the cluster's architecture from `from` on; null: no share is set. */
export function largestShare(clusters: readonly Cluster[], cluster: Cluster, from: EpochMs): number | null {
  const share = cluster.maxSharePerOrganization
  if (share === undefined) return null
  const alike = clusters.filter((other) => isAlike(other, cluster))
  return shareOf(Math.max(...capacitiesFrom(alike, from)), share)
}

/** What they have together, at `from` and whenever a later phase begins. */
function capacitiesFrom(clusters: readonly Cluster[], from: EpochMs): number[] {
  const instants = [from, ...clusters.flatMap(({ phases }) => phases.map((phase) => phase.from))]
  return instants
    .filter((at) => at >= from)
    .map((at) => clusters.reduce((sum, { phases }) => sum + (phaseAt(phases, at)?.nodes ?? 0), 0))
}

export const limitsShares = ({ listed }: Calendar): boolean =>
  listed.some(({ cluster }) => cluster.maxSharePerOrganization !== undefined)

/**
 * Whether some arrangement of what it has on the calendar could exceed a share: a search for better orders counts no
 * shares, and leaves such an organisation's plans as they are.
 */
export function mightExceedShare(calendar: Calendar, organizationId: string, now: EpochMs): boolean {
  const limited = calendar.listed
    .map(({ cluster }) => cluster)
    .filter((one) => one.maxSharePerOrganization !== undefined)
  if (limited.length === 0) return false
  const least = limited.flatMap((cluster) =>
    capacitiesFrom(clustersAlike(calendar, cluster), now)
      .filter((capacity) => capacity > 0)
      .map((capacity) => shareOf(capacity, cluster.maxSharePerOrganization ?? 100)),
  )
  let most = 0
  for (const allocationId of calendar.heldBy.get(organizationId) ?? []) most += mostNodes(calendar, allocationId)
  return most > Math.min(...least)
}

function mostNodes(calendar: Calendar, allocationId: string): number {
  const waits = calendar.waiting.get(allocationId)
  if (waits !== undefined)
    return calendar.listed.reduce((most, { cluster }) => Math.max(most, nodesFor(cluster, waits.request.demand)), 0)
  const state = calendar.clusters.get(calendar.reservedAt.get(allocationId) ?? '')
  return state?.reservations.get(allocationId)?.what.nodes ?? 0
}
