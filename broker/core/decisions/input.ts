/**
 * What is stored with a decision, as JSON data: everything that it followed from beside the calendar at its version, the
 * recorded instant and the policy. `rederive.ts` decides again from it, so what is not here cannot count.
 */
import type { EpochMs } from '../../../shared/time.ts'
import type { Notice } from '../idle/notices.ts'
import type { PlacementRequest } from '../placement/request.ts'

/** What a plan of those who wait follows from, beside the policy. */
export interface PlanOrigin {
  readonly now: EpochMs
  readonly calendarVersion: number
  readonly seed: number
  /** After so many changes others were left to the next plan. Default: nobody was. */
  readonly most?: number
  /** Placements that the search has tried. */
  readonly tried: number
}

/** Some calendar that is not long past: the decision is one of several that were made on it together. */
export interface MadeAt {
  readonly calendarVersion: number
  /** When they were. Default: at the instant of the decision. */
  readonly now?: EpochMs
}

/**
 * A plan is made beside the lock and written down a part at a time, while others decide. What it was made on may be so
 * many operations back, and no more: so whoever decides it again has to go back no further.
 */
export const MOST_BEHIND = 10_000

/** `place`, `waitlist`, `relocate`: a place was looked for. */
export interface PlacementInput {
  readonly request: PlacementRequest
  /** It has had a place, or waited, before: its period slides. Default: it has just come. */
  readonly again?: boolean
  /** What it had been promised before. Default nothing. */
  readonly promisedStart?: EpochMs | null
}

/** `promote`, `replan`: one line of a plan; of `replan.ts`, or of `idle/serve.ts` for those who wait for idle-use. */
export interface PlannedInput {
  readonly request: PlacementRequest
  readonly replan?: PlanOrigin
  readonly idle?: MadeAt
}

/** `place` of what was found running: the facts are the operator's, and only written down. */
export interface TakenInput {
  readonly taken: {
    readonly clusterId: string
    readonly nodes: number
    readonly start: EpochMs
    readonly end: EpochMs
    readonly providerInstanceIds: readonly string[]
    readonly how: 'imported' | 'adopted'
  }
}

/** `preempt`: one notice of all that were due together. */
export interface PreemptInput extends MadeAt {
  readonly notice: Notice
}

/** `extend`, and its refusal. */
export interface ExtendInput {
  readonly end: EpochMs
}

export interface ShrinkInput {
  readonly nodes: number
  /** Wanted so far; a running one may hold more until the nodes that leave are gone. */
  readonly nodesBefore: number
}

/** `reject` of a request that has just come. */
export interface RefusedInput {
  readonly request: PlacementRequest
}
