/** A calendar of its own, for plans that are tried and thrown away. */
import { listedOf, type ApprovalIndex, type Calendar, type ClusterState } from './calendar.ts'
import { finished } from './steps.ts'
import { cloneTimeline } from './timeline.ts'
import type { EpochMs } from '../../shared/time.ts'

export const cloneCalendar = (calendar: Calendar): Calendar => finished(copySteps(calendar))

/** So many approvals, or organisations, are copied in one step: of 10,000 who wait each has some. */
const AT_ONCE = 200

/**
 * The same in small steps, so that a large one can be copied in slices. Whoever lets others have a turn in between asks
 * afterwards whether they have changed it meanwhile: then the copy is of no calendar that there ever was.
 */
export function* copySteps(calendar: Calendar): Generator<undefined, Calendar> {
  const { gridFrom } = calendar
  const clusters = new Map<string, ClusterState>()
  for (const [id, state] of calendar.clusters) {
    // In one piece: a question that takes something off and puts it back leaves the same facts under new charges.
    clusters.set(id, copyOfCluster(state))
    yield
  }
  const reservedAt = new Map(calendar.reservedAt)
  yield
  const approvals = yield* copied(calendar.approvals, copyOfApproval)
  const heldBy = yield* copied(calendar.heldBy, (held) => new Set(held))
  const waiting = new Map(calendar.waiting)
  yield
  return {
    ...calendar,
    clusters,
    reservedAt,
    drainedAt: new Map(calendar.drainedAt),
    approvals,
    heldBy,
    waiting,
    suspendedClusters: new Set(calendar.suspendedClusters),
    suspendedProviders: new Set(calendar.suspendedProviders),
    openUntil: new Map(calendar.openUntil),
    listed: listedOf(clusters),
    // Where somebody looked meanwhile, clusters count idle-use as of two instants: at the first look all of it is charged anew.
    gridFrom: calendar.gridFrom === gridFrom ? gridFrom : BEGINNING_OF_TIME,
  }
}

const BEGINNING_OF_TIME: EpochMs = 0

const copyOfCluster = (state: ClusterState): ClusterState => ({
  ...state,
  reservations: new Map(state.reservations),
  drains: new Map(state.drains),
  grants: new Set(state.grants),
  running: new Set(state.running),
  timeline: cloneTimeline(state.timeline),
})

const copyOfApproval = (index: ApprovalIndex): ApprovalIndex => ({
  ...index,
  reserved: new Set(index.reserved),
  waiting: new Set(index.waiting),
  tally: null,
})

function* copied<T>(source: ReadonlyMap<string, T>, copyOf: (value: T) => T): Generator<undefined, Map<string, T>> {
  const copy = new Map<string, T>()
  for (const [id, value] of source) {
    copy.set(id, copyOf(value))
    if (copy.size % AT_ONCE === 0) yield
  }
  return copy
}
