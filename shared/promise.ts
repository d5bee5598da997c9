/** Why a promised start may be made later; everything else keeps its promise. */

export const SLIP_CAUSES = ['fault', 'drain', 'suspension', 'capacity-date', 'priority'] as const
export type SlipCause = (typeof SLIP_CAUSES)[number]

/** What took somebody's place on the calendar, and which one of its kind. */
export interface Displacement {
  readonly cause: SlipCause
  /** Of the drain, the cluster, the provider or the allocation that did it. */
  readonly causeId: string
}
