/**
 * How many requests are answered at a time. What a lane holds is answered within `crowd ÷ answered per second`; how many
 * it answers per second depends on the machine, the store and what is asked for, and is not known beforehand. So the limit
 * follows what answers took: the crowd that would have been answered within the target is the crowd that is let in.
 *
 * Instants are handed in, in ms of any clock that does not go back.
 */

export interface LaneBounds {
  /** So many always have a place: fewer would save no time, because what is asked at once shares one commit. */
  readonly floor: number
  readonly max: number
}

export interface Lane {
  inFlight: number
  /** May be a fraction. */
  limit: number
  /** Since when nobody is in it; of no meaning while somebody is. */
  emptySinceMs: number
  readonly bounds: LaneBounds
}

/** One request in a lane. */
export interface Visit {
  readonly enteredAtMs: number
  /** How many were there with it, itself among them. */
  readonly crowd: number
}

/** What the middle one may take: the slowest of a hundred takes some half as long again, which is the 50 ms of the bar. */
export const TARGET_MS = 30
/** So long nobody came: whatever crowd there was is gone, and one that comes at once may be as large as at first. */
const QUIET_MS = 20
/** A crowd that is too large makes all of them slow, so what is slow is believed at once, and what is quick bit by bit. */
const DOWN = 1 / 4
const UP = 1 / 16

export const openLane = (bounds: LaneBounds): Lane => ({ inFlight: 0, limit: bounds.max, emptySinceMs: 0, bounds })

export const isFull = ({ inFlight, limit }: Lane): boolean => inFlight >= Math.floor(limit)

export function enterLane(lane: Lane, atMs: number): Visit {
  if (lane.inFlight === 0 && atMs - lane.emptySinceMs >= QUIET_MS) lane.limit = lane.bounds.max
  lane.inFlight += 1
  return { enteredAtMs: atMs, crowd: lane.inFlight }
}

export function leaveLane(lane: Lane, { enteredAtMs, crowd }: Visit, atMs: number): void {
  const answer = { spentMs: atMs - enteredAtMs, crowd: Math.max(crowd, lane.inFlight) }
  lane.limit = limitAfter(lane.limit, answer, lane.bounds)
  lane.inFlight -= 1
  if (lane.inFlight === 0) lane.emptySinceMs = atMs
}

interface Answer {
  readonly spentMs: number
  /** How many there were when it came or when it left, whichever were more. */
  readonly crowd: number
}

function limitAfter(limit: number, { spentMs, crowd }: Answer, { floor, max }: LaneBounds): number {
  if (crowd === 1) return max // it was alone
  if (spentMs <= TARGET_MS) return Math.min(max, limit + UP)
  if (crowd <= floor) return limit // it was slow by itself
  const atMost = Math.min(limit, crowd)
  const inTime = Math.min(atMost, (crowd * TARGET_MS) / spentMs)
  return Math.max(floor, atMost - (atMost - inTime) * DOWN)
}
