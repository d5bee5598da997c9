import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { applyOp, type Calendar } from '../../../broker/core/calendar.ts'
import { cloneCalendar } from '../../../broker/core/calendar-copy.ts'
import type { WaitingEntry } from '../../../broker/core/calendar-op.ts'
import { factsOf, reservationOf, waiting, waitingEntryOf } from '../../../broker/core/calendar-reads.ts'
import { withOps } from '../../../broker/core/calendar-undo.ts'
import { place, placeAgain } from '../../../broker/core/placement/place.ts'
import { DEFAULT_POLICY } from '../../../broker/core/placement/policy.ts'
import { opsOfChange, reservationFor } from '../../../broker/core/plan-change.ts'
import { replan, type Replan } from '../../../broker/core/replan.ts'
import { promiseFor } from '../../../broker/core/promise.ts'
import type { Priority } from '../../../shared/approval.ts'
import { HOUR_MS, MINUTE_MS, type EpochMs } from '../../../shared/time.ts'
import {
  aCalendar,
  aCluster,
  anEntry,
  anyEntry,
  aRequest,
  flexible,
  NEXT_HOUR,
  NOW,
  overbookedInstants,
  reserve,
} from '../fleet.ts'

const FLEET = [
  aCluster({ id: 'alpha', nodes: 6 }),
  aCluster({ id: 'beta', nodes: 4, providerId: 'kakao', cooling: 'undisclosed' }),
]

/** A short slack, so that promises are often in the way. */
const POLICY = { ...DEFAULT_POLICY, promiseSlack: { leastMs: 0, waitDivisor: 4 } }

/** Asks for a place as a new request does: reserved as asked, or waiting with a planned place and a promise. */
function ask(calendar: Calendar, asked: WaitingEntry): void {
  const { best, startsAsAsked } = place(calendar, asked.request, NOW, POLICY)
  const { period } = asked.request
  const latestStart = period.kind === 'flexible' ? period.latestStart : null
  const promisedStart = promiseFor({ plannedStart: best?.start ?? null, now: NOW, latestStart, policy: POLICY })
  const entry = { ...asked, promisedStart }
  if (best !== null) applyOp(calendar, reserve(reservationFor(entry, best, startsAsAsked ? 'scheduled' : 'planned')))
  if (!startsAsAsked) applyOp(calendar, { op: 'wait', entry })
}

function carryOut(calendar: Calendar, { changes }: Replan): void {
  for (const change of changes) {
    const entry = waitingEntryOf(calendar, change.allocationId)
    if (entry === null) throw new Error('only those who wait are planned again')
    for (const op of opsOfChange(entry, change)) applyOp(calendar, op)
  }
}

/** A full fleet with a queue, who of it leaves, and how many minutes later. */
const anyEvening = (priorities: readonly Priority[]) =>
  fc.record({
    entries: fc.array(anyEntry(priorities), { minLength: 3, maxLength: 14 }),
    released: fc.array(fc.nat(), { maxLength: 4 }),
    laterMinutes: fc.integer({ min: 0, max: 3 * 24 * 60 }),
    seed: fc.integer(),
  })

/** All on full hours, so that the hours in which plans are made are exact. */
const anyFullHours = fc.record({
  entries: fc.array(
    fc
      .record({
        nodes: fc.integer({ min: 1, max: 6 }),
        hours: fc.integer({ min: 1, max: 60 }),
        inHours: fc.integer({ min: 0, max: 40 }),
        slackHours: fc.option(fc.integer({ min: 0, max: 60 })),
        priority: fc.constantFrom('national' as const, 'standard' as const),
      })
      .map(({ nodes, hours, inHours, slackHours, priority }) => {
        const from = NEXT_HOUR + inHours * HOUR_MS
        const period = flexible(hours, from, slackHours === null ? null : from + slackHours * HOUR_MS)
        return { priority, request: aRequest({ demand: { nodes }, period, priority }) }
      }),
    { minLength: 3, maxLength: 14 },
  ),
  released: fc.array(fc.nat(), { maxLength: 4 }),
  laterMinutes: fc.nat(40).map((hours) => (NEXT_HOUR + hours * HOUR_MS - NOW) / MINUTE_MS),
  seed: fc.integer(),
})

interface Evening {
  readonly entries: readonly Pick<WaitingEntry, 'priority' | 'request'>[]
  readonly released: readonly number[]
  readonly laterMinutes: number
  readonly seed: number
}

interface Scene {
  readonly calendar: Calendar
  readonly now: EpochMs
  readonly plan: Replan
}

function sceneOf(facts: Evening): Scene {
  const calendar = aCalendar(FLEET)
  const entries = facts.entries.map((entry) => anEntry(entry))
  for (const entry of entries) ask(calendar, entry)
  for (const index of facts.released) {
    const { allocationId } = entries[index % entries.length] ?? { allocationId: 'none' }
    applyOp(calendar, { op: 'release', allocationId })
    applyOp(calendar, { op: 'unwait', allocationId })
  }
  const now = NOW + Math.round(facts.laterMinutes * MINUTE_MS)
  return { calendar, now, plan: replan(calendar, { now, policy: POLICY, seed: facts.seed }) }
}

/** Who is planned to start after his promise, and was not before. */
function brokenPromises({ calendar, now, plan }: Scene): string[] {
  return plan.changes.flatMap(({ allocationId, placement }) => {
    const promised = waitingEntryOf(calendar, allocationId)?.promisedStart ?? null
    const had = reservationOf(calendar, allocationId)
    // Who slept through all of his place has to find another.
    if (promised === null || placement === null || had === null || had.end <= now) return []
    return placement.start > Math.max(promised, had.start, now) ? [allocationId] : []
  })
}

describe('a searched re-plan of so many at most', () => {
  const crowded = (): Calendar => {
    const calendar = aCalendar([aCluster({ id: 'alpha', nodes: 6 })])
    const taken = anEntry({ request: aRequest({ demand: { nodes: 6 } }) })
    ask(calendar, taken)
    for (let index = 0; index < 5; index += 1)
      ask(calendar, anEntry({ request: aRequest({ demand: { nodes: 6 }, period: flexible(5) }) }))
    applyOp(calendar, { op: 'release', allocationId: taken.allocationId })
    return calendar
  }
  const planned = (calendar: Calendar, most?: number): Replan =>
    replan(calendar, { now: NOW, policy: POLICY, seed: 1, ...(most !== undefined && { most }) })

  it('leaves others to the next plan, and says so', () => {
    const calendar = crowded()
    expect(planned(calendar).isCut).to.equal(false)
    expect(planned(calendar, 1).isCut).to.equal(true)
  })

  it('comes to what one without a bound comes to, plan after plan', () => {
    const [bounded, whole] = [crowded(), crowded()]
    carryOut(whole, planned(whole))
    for (let plans = 0; plans < 10; plans += 1) carryOut(bounded, planned(bounded, 1))
    const startsOf = (calendar: Calendar) =>
      waiting(calendar).map((one) => reservationOf(calendar, one.allocationId)?.start)
    expect(startsOf(bounded)).to.deep.equal(startsOf(whole))
  })
})

describe('a searched re-plan', () => {
  it('moves nobody past a promise where all are of one priority (invariant 6)', () => {
    fc.assert(
      fc.property(anyEvening(['standard']), (facts) => {
        const scene = sceneOf(facts)
        expect(brokenPromises(scene)).to.deep.equal([])
        expect(scene.plan.slips).to.deep.equal([])
      }),
      { numRuns: 300 },
    )
  })

  it('names who took the place, whenever it moves somebody past a promise', () => {
    fc.assert(
      fc.property(anyEvening(['national', 'standard']), (facts) => {
        const scene = sceneOf(facts)
        expect(scene.plan.slips.map(({ allocationId }) => allocationId)).to.include.members(brokenPromises(scene))
        for (const { allocationId, causedBy } of scene.plan.slips) {
          expect(waitingEntryOf(scene.calendar, allocationId)?.priority).to.equal('standard')
          expect(causedBy).to.not.deep.equal([])
          for (const cause of causedBy) expect(waitingEntryOf(scene.calendar, cause)?.priority).to.equal('national')
        }
      }),
      { numRuns: 300 },
    )
  })

  it('lets nobody of a lower priority have a planned place that would let a higher one start earlier', () => {
    fc.assert(
      fc.property(anyFullHours, (facts) => {
        const { calendar, plan, now } = sceneOf(facts)
        carryOut(calendar, plan)
        const line = waiting(calendar)
        const below = line.flatMap(({ priority, allocationId }) => (priority === 'standard' ? [allocationId] : []))
        for (const { allocationId, request } of line.filter(({ priority }) => priority === 'national')) {
          const planned = reservationOf(calendar, allocationId)?.start ?? Number.POSITIVE_INFINITY
          const away = [...below, allocationId].map((id) => ({ op: 'release' as const, allocationId: id }))
          const { candidates } = withOps(calendar, away, () => placeAgain(calendar, request, now, POLICY))
          for (const { earliestStart } of candidates)
            if (earliestStart !== null) expect(earliestStart).to.be.at.least(planned)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('never reserves more than there is (invariant 1)', () => {
    fc.assert(
      fc.property(anyEvening(['national', 'standard']), (facts) => {
        const { calendar, plan } = sceneOf(facts)
        carryOut(calendar, plan)
        expect(overbookedInstants(calendar, NOW)).to.deep.equal([])
      }),
      { numRuns: 300 },
    )
  })

  it('takes nobody’s place without giving another, where all are of one priority', () => {
    fc.assert(
      fc.property(anyEvening(['standard']), (facts) => {
        const { calendar, plan, now } = sceneOf(facts)
        for (const { allocationId, placement } of plan.changes) {
          const had = reservationOf(calendar, allocationId)
          if (had !== null && had.end > now) expect(placement).to.not.equal(null)
        }
      }),
    )
  })

  it('leaves no node idle beside one who could start there now', () => {
    fc.assert(
      fc.property(anyEvening(['national', 'standard']), (facts) => {
        const { calendar, plan, now } = sceneOf(facts)
        carryOut(calendar, plan)
        for (const { allocationId, request } of waiting(calendar)) {
          const { best } = withOps(calendar, [{ op: 'release', allocationId }], () =>
            placeAgain(calendar, request, now, POLICY),
          )
          if (best !== null) expect(best.start).to.be.greaterThan(now)
        }
      }),
    )
  })

  it('decides the same of the same, and changes nothing by itself (invariant 5)', () => {
    fc.assert(
      fc.property(anyEvening(['national', 'standard']), (facts) => {
        const { calendar, now, plan } = sceneOf(facts)
        const before = factsOf(calendar)
        const again = replan(cloneCalendar(calendar), { now, policy: POLICY, seed: facts.seed })
        expect(again).to.deep.equal(plan)
        expect(factsOf(calendar)).to.deep.equal(before)
      }),
    )
  })
})
