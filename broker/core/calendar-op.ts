/**
 * What can happen to the calendar, as JSON data. Operations are stored in a log; every replica's calendar is the fold of
 * that log, in its order, and so is a replay.
 */
import type { Priority } from '../../shared/approval.ts'
import type { EpochMs } from '../../shared/time.ts'
import type { Cluster } from './cluster.ts'
import type { PlacementRequest } from './placement/request.ts'

/**
 * `planned`: the place of someone waiting. `scheduled`: starts as asked, or is about to. `running`: provisioning, active
 * or going; never moved by a decision.
 */
export type ReservationPhase = 'planned' | 'scheduled' | 'running'

/** An allocation's place on the calendar. Its nodes count as taken in `[start, heldUntil)`. */
export interface Reservation {
  readonly allocationId: string
  readonly approvalId: string
  readonly organizationId: string
  readonly clusterId: string
  readonly nodes: number
  readonly start: EpochMs
  readonly end: EpochMs
  /** `end` plus the turnover; later while a release is late, earlier once the nodes are seen gone. */
  readonly heldUntil: EpochMs
  readonly phase: ReservationPhase
  readonly priority: Priority
  /** Creation sequence of the allocation; breaks ties. */
  readonly order: number
  /**
   * An idle-use grant that has been given notice: its nodes are taken back from this instant on, and `end` stays the one
   * that it was granted, because it goes on holding its GPU-time. Absent: no notice has been given.
   */
  readonly reclaimedAt?: EpochMs
}

export interface WaitingEntry {
  readonly allocationId: string
  readonly approvalId: string
  readonly organizationId: string
  readonly priority: Priority
  readonly since: EpochMs
  /** Creation sequence of the allocation; breaks ties. */
  readonly order: number
  readonly request: PlacementRequest
  readonly promisedStart: EpochMs | null
}

/** Nodes out of service in `[from, to)`. One without a known end has `END_OF_TIME` as its `to`. */
export interface Drain {
  readonly id: string
  readonly clusterId: string
  readonly nodes: number
  readonly from: EpochMs
  readonly to: EpochMs
  /**
   * `quarantine`: nodes whose release nobody has confirmed; counts alike, shown apart. `unknown`, `foreign`: nodes that a
   * sweep found standing there, ours by their tag or somebody else's. Default `drain`.
   */
  readonly kind?: 'drain' | 'quarantine' | 'unknown' | 'foreign'
}

/** Where an organisation stands within its priority when those who wait are served. */
export interface Standing {
  readonly organizationId: string
  /** 0 is served first: has consumed nothing. Two that have consumed alike share theirs. */
  readonly rank: number
}

export type CalendarOp =
  /** Inserts, or replaces by allocation id. */
  | { readonly op: 'reserve'; readonly reservation: Reservation }
  | { readonly op: 'release'; readonly allocationId: string }
  /** Inserts, or replaces by allocation id. */
  | { readonly op: 'wait'; readonly entry: WaitingEntry }
  | { readonly op: 'unwait'; readonly allocationId: string }
  /** Inserts, or replaces by drain id. */
  | { readonly op: 'drain'; readonly drain: Drain }
  | { readonly op: 'lift-drain'; readonly drainId: string }
  | { readonly op: 'suspend-cluster' | 'resume-cluster'; readonly clusterId: string }
  | { readonly op: 'suspend-provider' | 'resume-provider'; readonly providerId: string }
  /** Until when the provider's create circuit is open; null: closed. */
  | { readonly op: 'circuit'; readonly providerId: string; readonly createOpenUntil: EpochMs | null }
  /** Replaces where all organisations stand; who is not named stands at 0, first. */
  | { readonly op: 'standings'; readonly standings: readonly Standing[] }
  /** Replaces the facts of all clusters. One that is no longer listed keeps its reservations and takes no new ones. */
  | { readonly op: 'catalogue'; readonly clusters: readonly Cluster[] }
