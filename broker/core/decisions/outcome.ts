/** What decisions say of themselves, in the API's words: built alike where one is made and where it is made again. */
import type { Candidate as CandidateView } from '../../../shared/decision.ts'
import { type EpochMs, toIso, toIsoOrNull } from '../../../shared/time.ts'
import type { Extension } from '../extension.ts'
import type { Notice } from '../idle/notices.ts'
import type { Candidate, Place } from '../placement/candidate.ts'
import type { NeverServed } from '../placement/unsatisfiable.ts'
import type { ShrinkInput, TakenInput } from './input.ts'

export type DecisionOutcome = Readonly<Record<string, unknown>>

/** Instants become texts; everything else is as it was decided. */
export const candidateView = (candidate: Candidate): CandidateView => ({
  ...candidate,
  reasons: [...candidate.reasons],
  earliestStart: toIsoOrNull(candidate.earliestStart),
})

export const scheduledOutcome = ({ clusterId, nodes, start, end }: Place): DecisionOutcome => ({
  status: 'scheduled',
  clusterId,
  nodes,
  start: toIso(start),
  end: toIso(end),
})

export const waitingOutcome = (
  place: Pick<Place, 'clusterId' | 'start'> | null,
  promisedStart: EpochMs | null,
): DecisionOutcome => ({
  status: 'waitlisted',
  estimatedClusterId: place?.clusterId ?? null,
  estimatedStart: toIsoOrNull(place?.start ?? null),
  promisedStart: toIsoOrNull(promisedStart),
})

export const takenOutcome = ({ clusterId, nodes, start, end }: TakenInput['taken']): DecisionOutcome => ({
  status: 'active',
  clusterId,
  nodes,
  start: toIso(start),
  end: toIso(end),
})

export const preemptOutcome = ({ grant, endsAt, neededAt, neededNodes }: Notice): DecisionOutcome => ({
  clusterId: grant.clusterId,
  nodes: grant.nodes,
  neededNodes,
  noticeEndsAt: toIso(endsAt),
  neededAt: toIso(neededAt),
})

export const extendOutcome = (of: {
  readonly clusterId: string
  readonly nodes: number
  readonly end: EpochMs
  readonly endBefore: EpochMs
}): DecisionOutcome => ({ ...of, end: toIso(of.end), endBefore: toIso(of.endBefore) })

export const shrinkOutcome = (
  clusterId: string | null,
  { nodes, nodesBefore }: ShrinkInput,
  now: EpochMs,
): DecisionOutcome => ({ clusterId, nodes, nodesBefore, at: toIso(now) })

/** @param shownConflict null also where it is somebody else's allocation */
export const notExtendedOutcome = (
  { conflictAt, latestEnd }: Extract<Extension, { fits: false }>,
  shownConflict: string | null,
): DecisionOutcome => ({
  status: 'rejected',
  code: 'no-capacity',
  conflictAt: toIso(conflictAt),
  conflictWith: shownConflict,
  latestEnd: toIso(latestEnd),
})

export const NO_CAPACITY: DecisionOutcome = { status: 'rejected', code: 'no-capacity' }

export const neverServedOutcome = (clusters: readonly NeverServed[]): DecisionOutcome => ({
  status: 'rejected',
  code: 'unsatisfiable',
  clusters,
})
