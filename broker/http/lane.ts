/**
 * How many requests are answered at a time. What a lane holds is answered within `crowd ÷ answered per second`; how many
 * it answers per second depends on the machine, the store and what is asked for, and is not known beforehand. So the limit
 * follows what answers took: the crowd that would have been answered within the target is the crowd that is let in.
 *
 * Instants are handed in, in ms of any clock that does not go back.
 */

export interface LaneBounds {
  /** So many have a place however slow answers are, as long as nobody has to be turned away for them. */
  readonly floor: number
  /** So many always have a place: fewer would save no time, because what is asked at once shares one commit. */
  readonly crowdedFloor: number
  readonly max: number
}

export interface Lane {
  inFlight: number
  /** May be a fraction. */
  limit: number
  /** Since when nobody is in it; of no meaning while somebody is. */
  emptySinceMs: number
  /** Until then more is asked for than can be answered. */
  crowdedUntilMs: number
  readonly bounds: LaneBounds
}

/** One request in a lane. */
export interface Visit {
  readonly enteredAtMs: number
  /** How many were there with it, itself among them. */
  readonly crowd: number
}

/** What an answer may take before fewer are let in. */
export const TARGET_MS = 30
/**
 * The same while others are turned away. The slowest of a hundred then takes more than twice as long, because turning away
 * takes the same processor: it is to stay within the 50 ms of the bar. A smaller crowd answers hardly fewer in a second.
 */
export const CROWDED_TARGET_MS = 20
const CROWDED_MS = 1_000
/** So long nobody came: whatever crowd there was is gone, and one that comes at once may be as large as at first. */
const QUIET_MS = 20
/** A crowd that is too large makes all of them slow, so what is slow is believed at once, and what is quick bit by bit. */
const DOWN = 1 / 4
const UP = 1 / 16

export const openLane = (bounds: LaneBounds): Lane => ({
  inFlight: 0,
  limit: bounds.max,
  emptySinceMs: 0,
  crowdedUntilMs: 0,
  bounds,
})

export const isFull = ({ inFlight, limit }: Lane): boolean => inFlight >= Math.floor(limit)

/** Somebody found it full. */
export function passBy(lane: Lane, atMs: number): void {
  lane.crowdedUntilMs = atMs + CROWDED_MS
}

export function enterLane(lane: Lane, atMs: number): Visit {
  if (lane.inFlight === 0 && atMs - lane.emptySinceMs >= QUIET_MS) lane.limit = lane.bounds.max
  lane.inFlight += 1
  return { enteredAtMs: atMs, crowd: lane.inFlight }
}

export function leaveLane(lane: Lane, { enteredAtMs, crowd }: Visit, atMs: number): void {
  const answer = { spentMs: atMs - enteredAtMs, crowd: Math.max(crowd, lane.inFlight) }
  lane.limit = limitAfter(lane, answer, atMs)
  lane.inFlight -= 1
  if (lane.inFlight === 0) lane.emptySinceMs = atMs
}

interface Answer {
  readonly spentMs: number
  /** How many there were when it came or when it left, whichever were more. */
  readonly crowd: number
}

function limitAfter({ limit, crowdedUntilMs, bounds }: Lane, { spentMs, crowd }: Answer, atMs: number): number {
  if (crowd === 1) return bounds.max // it was alone
  const isCrowded = atMs < crowdedUntilMs
  const targetMs = isCrowded ? CROWDED_TARGET_MS : TARGET_MS
  const floor = isCrowded ? bounds.crowdedFloor : bounds.floor
  if (spentMs <= targetMs) return Math.min(bounds.max, limit + UP)
  if (crowd <= floor) return limit // it was slow by itself
  const atMost = Math.min(limit, crowd)
  const inTime = Math.min(atMost, (crowd * targetMs) / spentMs)
  return Math.max(Math.min(floor, limit), atMost - (atMost - inTime) * DOWN)
}
