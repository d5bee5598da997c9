/**
 * The life of an allocation as one table. What is not in it is not done: an event without a cell is a no to the caller,
 * or a fact that comes too late to matter. `waitlisted` and `scheduled` are where it begins; what was built is gone
 * before `replaced`, `requeued`, `nodesGone` or `gaveUp` is said of a `provisioning`, `releasing` or `preempting` one.
 */
import type { AllocationStatus } from '../../shared/allocation.ts'
import type { ReservationPhase } from './calendar-op.ts'

export const ALLOCATION_EVENTS = [
  /** A waiting one has the start that was asked, or its planned start is at hand. */
  'placed',
  /** Another place took the old one's stead, with a start of its own. */
  'replaced',
  /** Its place was lost, and it waits for another. */
  'requeued',
  'startReached',
  'allReady',
  /** A caller, or a revoked approval, wants it to end. */
  'releaseAsked',
  'endReached',
  /** An idle-use grant is taken back. */
  'preempted',
  /** The provider's own list no longer has its nodes; it had been active. */
  'nodesGone',
  /** The same of one that was never active. */
  'nodesGoneNeverActive',
  /** Refused for good, or nothing left to try. */
  'gaveUp',
  /** No start is left before `latestStart` or inside the approval's validity. */
  'windowPassed',
  /** An operator takes a failed one up again. */
  'retried',
] as const
export type AllocationEvent = (typeof ALLOCATION_EVENTS)[number]

const NEXT: Readonly<Record<AllocationStatus, Readonly<Partial<Record<AllocationEvent, AllocationStatus>>>>> = {
  waitlisted: { placed: 'scheduled', releaseAsked: 'cancelled', windowPassed: 'cancelled', gaveUp: 'failed' },
  scheduled: {
    startReached: 'provisioning',
    replaced: 'scheduled',
    requeued: 'waitlisted',
    releaseAsked: 'cancelled',
    // The broker was away for all of its period: it was never active.
    endReached: 'cancelled',
    gaveUp: 'failed',
  },
  provisioning: {
    allReady: 'active',
    replaced: 'scheduled',
    requeued: 'waitlisted',
    releaseAsked: 'releasing',
    endReached: 'releasing',
    preempted: 'preempting',
    gaveUp: 'failed',
  },
  active: { releaseAsked: 'releasing', endReached: 'releasing', preempted: 'preempting' },
  preempting: {
    nodesGone: 'waitlisted',
    nodesGoneNeverActive: 'waitlisted',
    releaseAsked: 'releasing',
    endReached: 'releasing',
    // It had failed before it was told, and what was built was on its way back already.
    gaveUp: 'failed',
  },
  releasing: { nodesGone: 'released', nodesGoneNeverActive: 'cancelled' },
  failed: { retried: 'waitlisted' },
  released: {},
  cancelled: {},
}

/** Null: the event changes nothing in this status. */
export const nextStatus = (from: AllocationStatus, event: AllocationEvent): AllocationStatus | null =>
  NEXT[from][event] ?? null

/** What a new allocation begins as. */
export const firstStatus = (startsAsAsked: boolean): AllocationStatus => (startsAsAsked ? 'scheduled' : 'waitlisted')

/** What its place on the calendar is while in this status; null: it has none. A waiting one may be without. */
const PHASE: Readonly<Record<AllocationStatus, ReservationPhase | null>> = {
  waitlisted: 'planned',
  scheduled: 'scheduled',
  provisioning: 'running',
  active: 'running',
  preempting: 'running',
  releasing: 'running',
  released: null,
  cancelled: null,
  failed: null,
}

export const reservationPhaseOf = (status: AllocationStatus): ReservationPhase | null => PHASE[status]

/** Whether nothing but an operator's retry ever happens to it again; it holds no node and no place. */
export const isFinal = (status: AllocationStatus): boolean => PHASE[status] === null
