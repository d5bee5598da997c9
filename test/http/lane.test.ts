import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import {
  CROWDED_TARGET_MS,
  enterLane,
  isFull,
  type Lane,
  leaveLane,
  openLane,
  passBy,
  TARGET_MS,
  type Visit,
} from '../../broker/http/lane.ts'

const BOUNDS = { floor: 32, crowdedFloor: 20, max: 128 }

/** A store that commits in groups: each takes some time for itself and some for every member, now more and now less. */
const COMMIT = { groupMs: 5, eachMs: 0.8 }
const perSecondAt = (crowd: number): number => (crowd * 1_000) / (COMMIT.groupMs + crowd * COMMIT.eachMs)

interface Flooded {
  readonly spentMs: readonly number[]
  readonly turnedAway: number
  readonly limit: number
}

/** What becomes of requests that come evenly from `fromMs` on. No clock runs: instants are counted in ms from 0. */
function flood(
  { perSecond, count, fromMs = 0 }: { readonly perSecond: number; readonly count: number; readonly fromMs?: number },
  lane: Lane = openLane(BOUNDS),
): Flooded {
  const spentMs: number[] = []
  let [turnedAway, arrived, seed] = [0, 0, 1]
  let waiting: Visit[] = []
  let group: Visit[] = []
  let doneAtMs = Number.POSITIVE_INFINITY
  const begin = (atMs: number): void => {
    group = waiting
    waiting = []
    seed = (seed * 48_271) % 2_147_483_647
    const pace = 0.7 + (0.6 * seed) / 2_147_483_647
    const workMs = COMMIT.groupMs + group.length * COMMIT.eachMs
    doneAtMs = group.length === 0 ? Number.POSITIVE_INFINITY : atMs + pace * workMs
  }
  while (arrived < count || lane.inFlight > 0) {
    const atMs = arrived < count ? fromMs + (arrived * 1_000) / perSecond : Number.POSITIVE_INFINITY
    if (atMs < doneAtMs) {
      arrived += 1
      if (isFull(lane)) {
        turnedAway += 1
        passBy(lane, atMs)
      } else waiting.push(enterLane(lane, atMs))
      if (group.length === 0) begin(atMs)
      continue
    }
    const endedAtMs = doneAtMs
    for (const visit of group) {
      spentMs.push(endedAtMs - visit.enteredAtMs)
      leaveLane(lane, visit, endedAtMs)
    }
    begin(endedAtMs)
  }
  return { spentMs: spentMs.toSorted((a, b) => a - b), turnedAway, limit: lane.limit }
}

const at = ({ spentMs }: Flooded, share: number): number => spentMs[Math.ceil(spentMs.length * share) - 1] ?? 0

describe('how many are let in', () => {
  it('answers in time what it lets in, asked for twice and for eight times what can be served', () => {
    for (const times of [2, 8]) {
      const perSecond = times * perSecondAt(BOUNDS.floor)
      const seconds = 20
      const flooded = flood({ perSecond, count: Math.round(perSecond * seconds) })
      expect(at(flooded, 0.5), `p50 at ${times} times the load`).to.be.at.most(CROWDED_TARGET_MS + 5)
      expect(at(flooded, 0.99), `p99 at ${times} times the load`).to.be.at.most(40)
      expect(flooded.spentMs.length / seconds, `answered at ${times} times the load`).to.be.at.least(
        0.7 * perSecondAt(BOUNDS.floor),
      )
    }
  })

  it('turns nobody away who keeps as many connections busy as the floor, however slow answers are', () => {
    const lane = openLane(BOUNDS)
    for (let round = 0; round < 200; round += 1) {
      const visits = Array.from({ length: BOUNDS.floor }, () => enterLane(lane, round * 100))
      for (const visit of visits) {
        leaveLane(lane, visit, round * 100 + 99)
        expect(isFull(lane)).to.equal(false)
      }
    }
  })

  it('lets in fewer while others are turned away, and as many as before a second after', () => {
    const lane = { ...openLane(BOUNDS), limit: BOUNDS.floor, inFlight: BOUNDS.floor }
    const slow = (atMs: number) => leaveLane(lane, { enteredAtMs: atMs - 40, crowd: BOUNDS.floor }, atMs)
    slow(100)
    expect(lane.limit).to.equal(BOUNDS.floor)
    for (let atMs = 200; atMs < 600; atMs += 10) {
      passBy(lane, atMs)
      lane.inFlight = BOUNDS.floor
      slow(atMs)
    }
    expect(lane.limit).to.be.within(BOUNDS.crowdedFloor, CROWDED_TARGET_MS + 5)
    lane.emptySinceMs = 600
    lane.inFlight = 0
    enterLane(lane, 1_700)
    expect(lane.limit).to.equal(BOUNDS.max)
  })

  it('turns nobody away at half of what can be served', () => {
    const flooded = flood({ perSecond: perSecondAt(BOUNDS.floor) / 2, count: 5_000 })
    expect([flooded.turnedAway, flooded.limit]).to.deep.equal([0, BOUNDS.max])
  })

  it('takes all of what comes at once and is over soon, and as much again a moment later', () => {
    const lane = openLane(BOUNDS)
    expect(flood({ perSecond: 20_000, count: 100 }, lane).turnedAway).to.equal(0)
    expect(lane.limit).to.be.below(100)
    expect(flood({ perSecond: 20_000, count: 100, fromMs: 1_000 }, lane).turnedAway).to.equal(0)
  })

  /** What the limit is after an answer of `crowd` that were there together. */
  function afterAnswer(
    limit: number,
    { spentMs, crowd }: { readonly spentMs: number; readonly crowd: number },
  ): number {
    const lane = { ...openLane(BOUNDS), inFlight: crowd - 1, limit }
    leaveLane(lane, enterLane(lane, 0), spentMs)
    return lane.limit
  }

  it('lets in as many as before once answers are quick again, and at once when somebody is alone', () => {
    let limit: number = BOUNDS.floor
    for (let nth = 0; nth < 2_000; nth += 1) limit = afterAnswer(limit, { spentMs: TARGET_MS, crowd: 2 })
    expect(limit).to.equal(BOUNDS.max)
    expect(afterAnswer(BOUNDS.floor, { spentMs: 500, crowd: 1 })).to.equal(BOUNDS.max)
  })

  it('is not changed by an answer that was slow by itself', () => {
    expect(afterAnswer(100, { spentMs: 5_000, crowd: BOUNDS.floor })).to.equal(100)
  })

  it('stays within its bounds, and is never raised by a slow answer nor lowered by a quick one', () => {
    const answers = fc.record({
      spentMs: fc.double({ min: 0, max: 60_000, noNaN: true }),
      crowd: fc.integer({ min: 2, max: 400 }),
    })
    fc.assert(
      fc.property(fc.double({ min: BOUNDS.floor, max: BOUNDS.max, noNaN: true }), answers, (before, answer) => {
        const after = afterAnswer(before, answer)
        expect(after).to.be.within(BOUNDS.floor, BOUNDS.max)
        expect(after >= before).to.equal(answer.spentMs <= TARGET_MS || after === before)
      }),
    )
  })
})
