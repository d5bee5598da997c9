/** When a delivery that failed is tried again, and when it is given up. */
import { DAY_MS, type EpochMs, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../shared/time.ts'

/** How long a delivery is retried, from its first attempt or from when somebody asked for it again. */
export const RETRIED_FOR_MS = 3 * DAY_MS

/** After the first failure, the second, …: some 72 hours in all. */
const PAUSES_MS = [
  5 * SECOND_MS,
  30 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  20 * HOUR_MS,
]

/** @param attempts so far, the last one failed. @returns null: it is given up */
export function nextAttemptAt(
  attempts: number,
  { now, giveUpAt }: { now: EpochMs; giveUpAt: EpochMs },
): EpochMs | null {
  const pauseMs = PAUSES_MS[attempts - 1]
  return pauseMs === undefined || now >= giveUpAt ? null : Math.min(now + pauseMs, giveUpAt)
}

const LONGEST_PAUSE_MS = MINUTE_MS
const MAX_DOUBLINGS = 6

/**
 * For how long an endpoint that failed so often in a row is left alone. Shorter than what a failed delivery waits from its
 * second attempt on: an endpoint that refuses one event gets the others meanwhile.
 */
export const endpointPauseMs = (failures: number): number =>
  Math.min(LONGEST_PAUSE_MS, SECOND_MS * (1 << Math.min(failures - 1, MAX_DOUBLINGS)))
