/** What placement answers: the chosen place, and every cluster with the reasons for or against it. */
import type { Reason } from '../../../shared/decision.ts'
import type { EpochMs } from '../../../shared/time.ts'
import type { ScorePart } from './policy.ts'
import type { PlacementRequest } from './request.ts'

/** Nodes of one cluster for a time. Taken in `[start, heldUntil)`, used in `[start, end)`. */
export interface Place {
  readonly clusterId: string
  readonly providerId: string
  readonly nodes: number
  readonly start: EpochMs
  readonly end: EpochMs
  readonly heldUntil: EpochMs
}

/** Whether it starts when it was asked to: then it is scheduled. Idle-use has nothing ahead, so only a start now counts. */
export const isAsAsked = (
  { priority }: Pick<PlacementRequest, 'priority'>,
  { start }: Pick<Place, 'start'>,
  { askedStart, now }: { readonly askedStart: EpochMs; readonly now: EpochMs },
): boolean => start === askedStart && (priority !== 'idle' || start <= now)

export type ScoreParts = Readonly<Record<ScorePart, number>>

/**
 * One cluster, as a decision saw it. `reasons` is empty exactly when it can start as asked. A feasible candidate with
 * reasons starts later, and they say why; one that is not feasible has no start, and `score` and `scoreParts` are null.
 */
export interface Candidate {
  readonly clusterId: string
  readonly nodes: number
  readonly gpus: number
  readonly feasible: boolean
  readonly earliestStart: EpochMs | null
  readonly score: number | null
  readonly scoreParts: ScoreParts | null
  readonly reasons: readonly Reason[]
}

export interface Placement {
  readonly best: Place | null
  /** Whether `best` starts when it was asked to: then the allocation is scheduled, else it waits. */
  readonly startsAsAsked: boolean
  /** Every cluster of the catalogue, by id. */
  readonly candidates: readonly Candidate[]
}
