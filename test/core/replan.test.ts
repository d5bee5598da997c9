import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { applyOp, type Calendar } from '../../broker/core/calendar.ts'
import { cloneCalendar } from '../../broker/core/calendar-copy.ts'
import type { CalendarOp, WaitingEntry } from '../../broker/core/calendar-op.ts'
import { factsOf, reservationOf, waiting, waitingEntryOf } from '../../broker/core/calendar-reads.ts'
import { withOps } from '../../broker/core/calendar-undo.ts'
import { place, placeAgain } from '../../broker/core/placement/place.ts'
import { EARLIEST_FIT_1 as PLAIN } from '../../broker/core/placement/policy.ts'
import { opsOfChange, reservationFor, waitIsOver, type PlanChange } from '../../broker/core/plan-change.ts'
import { replan, replanSteps } from '../../broker/core/replan.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, type EpochMs } from '../../shared/time.ts'
import {
  aCalendar,
  aCluster,
  anApproval,
  anEntry,
  anyEntry,
  aRequest,
  aReservation,
  fixed,
  flexible,
  NEXT_HOUR,
  NOW,
  overbookedInstants,
  reserve,
} from './fleet.ts'

const FLEET = [
  aCluster({ id: 'alpha', nodes: 6 }),
  aCluster({ id: 'beta', nodes: 4, providerId: 'kakao', cooling: 'undisclosed' }),
]

/** What the plain plan changes. */
const replanned = (calendar: Calendar, now: EpochMs): readonly PlanChange[] =>
  replan(calendar, { now, policy: PLAIN, seed: 1 }).changes

/** Asks for a place as a new request does: reserved as asked, or waiting with a planned place. */
function ask(calendar: Calendar, entry: WaitingEntry): void {
  const { best, startsAsAsked } = place(calendar, entry.request, NOW, PLAIN)
  if (best !== null) applyOp(calendar, reserve(reservationFor(entry, best, startsAsAsked ? 'scheduled' : 'planned')))
  if (!startsAsAsked) applyOp(calendar, { op: 'wait', entry })
}

function carryOut(calendar: Calendar, changes: readonly PlanChange[]): void {
  for (const change of changes) {
    const entry = waitingEntryOf(calendar, change.allocationId)
    if (entry === null) throw new Error('only those who wait are planned again')
    for (const op of opsOfChange(entry, change)) applyOp(calendar, op)
  }
}

/** A full fleet with a queue, something that happens to it, and how many minutes later. */
const anyEvening = fc.record({
  entries: fc.array(anyEntry(), { minLength: 3, maxLength: 14 }),
  released: fc.array(fc.nat(), { maxLength: 4 }),
  suspended: fc.option(fc.constantFrom('alpha', 'beta'), { freq: 4 }),
  laterMinutes: fc.integer({ min: 0, max: 3 * 24 * 60 }),
})

interface Evening {
  readonly entries: readonly Pick<WaitingEntry, 'priority' | 'request'>[]
  readonly released: readonly number[]
  readonly suspended: string | null
}

function evening(facts: Evening): Calendar {
  const calendar = aCalendar(FLEET)
  const entries = facts.entries.map((entry) => anEntry(entry))
  for (const entry of entries) ask(calendar, entry)
  for (const index of facts.released) {
    const { allocationId } = entries[index % entries.length] ?? { allocationId: 'none' }
    applyOp(calendar, { op: 'release', allocationId })
    applyOp(calendar, { op: 'unwait', allocationId })
  }
  if (facts.suspended !== null) applyOp(calendar, { op: 'suspend-cluster', clusterId: facts.suspended })
  return calendar
}

describe('a plain re-plan', () => {
  it('makes nobody later, whatever was released', () => {
    fc.assert(
      fc.property(anyEvening, (facts) => {
        const calendar = evening({ ...facts, suspended: null })
        const now = NOW + facts.laterMinutes * MINUTE_MS
        for (const { allocationId, placement } of replanned(calendar, now)) {
          const planned = reservationOf(calendar, allocationId)
          // Who slept through all of his place has to find another.
          if (planned === null || planned.end <= now) continue
          expect(placement?.start).to.be.at.most(Math.max(planned.start, now))
        }
      }),
    )
  })

  it('never reserves more than there is', () => {
    fc.assert(
      fc.property(anyEvening, (facts) => {
        const calendar = evening(facts)
        const now = NOW + facts.laterMinutes * MINUTE_MS
        carryOut(calendar, replanned(calendar, now))
        expect(overbookedInstants(calendar, NOW)).to.deep.equal([])
      }),
    )
  })

  it('leaves nobody waiting who could have an earlier start, once it finds nothing more to change', () => {
    fc.assert(
      fc.property(anyEvening, (facts) => {
        const calendar = evening(facts)
        const now = NOW + facts.laterMinutes * MINUTE_MS
        for (let changes = replanned(calendar, now); changes.length > 0; changes = replanned(calendar, now))
          carryOut(calendar, changes)
        for (const { allocationId, request } of waiting(calendar)) {
          const planned = reservationOf(calendar, allocationId)?.start ?? Number.POSITIVE_INFINITY
          const { candidates } = withOps(calendar, [{ op: 'release', allocationId }], () =>
            placeAgain(calendar, request, now, PLAIN),
          )
          for (const { earliestStart } of candidates)
            if (earliestStart !== null) expect(earliestStart).to.be.at.least(planned)
          expect(planned).to.be.greaterThan(now)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('changes nothing by itself, and decides the same of the same', () => {
    fc.assert(
      fc.property(anyEvening, (facts) => {
        const calendar = evening(facts)
        const before = factsOf(calendar)
        const now = NOW + facts.laterMinutes * MINUTE_MS
        const changes = replanned(calendar, now)
        expect(replanned(cloneCalendar(calendar), now)).to.deep.equal(changes)
        expect(factsOf(calendar)).to.deep.equal(before)
      }),
    )
  })

  it('ends everybody at a place that is not suspended, or at none', () => {
    fc.assert(
      fc.property(anyEvening, (facts) => {
        const calendar = evening(facts)
        carryOut(calendar, replanned(calendar, NOW))
        for (const { allocationId } of waiting(calendar))
          expect(reservationOf(calendar, allocationId)?.clusterId ?? null).to.not.equal(facts.suspended ?? 'none')
      }),
    )
  })

  it('goes on by one entry at a step, so that it can be done in slices', () => {
    const calendar = aCalendar(FLEET.slice(0, 1))
    for (let index = 0; index < 5; index += 1) ask(calendar, anEntry({ request: aRequest({ demand: { nodes: 6 } }) }))
    const steps = replanSteps(cloneCalendar(calendar), { now: NOW, policy: PLAIN, seed: 1 })
    const taken = Array.from({ length: 4 }, () => steps.next().done)
    expect(taken).to.deep.equal([false, false, false, false])
    expect(steps.next()).to.deep.equal({
      done: true,
      value: { changes: [], slips: [], tried: 0, before: new Map(), isCut: false },
    })
  })
})

describe('one who waits, planned plainly,', () => {
  const alpha = FLEET.slice(0, 1)
  const whole = aRequest({ demand: { nodes: 6 } })
  const held = (start: EpochMs, hours: number, facts = {}) =>
    aReservation({ start, end: start + hours * HOUR_MS, nodes: 6, ...facts })
  const waitingWith = (entry: WaitingEntry, start: EpochMs, hours: number): CalendarOp[] => [
    { op: 'wait', entry },
    reserve(held(start, hours, { allocationId: entry.allocationId, phase: 'planned' })),
  ]
  const only = (calendar: Calendar, now = NOW): PlanChange | null => {
    const changes = replanned(calendar, now)
    expect(changes.length).to.be.at.most(1)
    return changes[0] ?? null
  }

  it('starts now when the nodes are free now', () => {
    const entry = anEntry({ request: whole })
    const change = only(aCalendar(alpha, waitingWith(entry, NEXT_HOUR + DAY_MS, 24)))
    expect(change).to.deep.include({ allocationId: entry.allocationId, startsNow: true, reason: null })
    expect(change?.placement).to.include({ start: NOW, end: NOW + DAY_MS })
  })

  it('starts now though its own place begins within the hour, or at another cluster', () => {
    const entry = anEntry({ request: aRequest({ demand: { nodes: 4 } }) })
    const ops = [
      { op: 'wait' as const, entry },
      reserve(held(NEXT_HOUR, 24, { allocationId: entry.allocationId, phase: 'planned', nodes: 4 })),
    ]
    expect(only(aCalendar(alpha, ops))?.placement).to.include({ clusterId: 'alpha', start: NOW })
    const busy = reserve(held(NOW, 1, { heldUntil: NEXT_HOUR - 1, nodes: 3 }))
    expect(only(aCalendar(FLEET, [...ops, busy]))?.placement).to.include({ clusterId: 'beta', start: NOW })
  })

  it('gets the earliest start of all clusters, however much it prefers another', () => {
    const prefers = { provider: 'nhn', cooling: 'liquid' as const }
    const entry = anEntry({ request: aRequest({ demand: { nodes: 2 }, prefers }) })
    const until = (hours: number, clusterId: string, nodes: number) =>
      reserve(held(NOW - HOUR_MS, hours, { clusterId, nodes, heldUntil: NOW + hours * HOUR_MS }))
    const calendar = aCalendar(FLEET, [{ op: 'wait', entry }, until(9, 'alpha', 6), until(8, 'beta', 4)])
    expect(only(calendar)?.placement?.clusterId).to.equal('beta')
    const alike = aCalendar(FLEET, [{ op: 'wait', entry }, until(8, 'alpha', 6), until(8, 'beta', 4)])
    expect(only(alike)?.placement?.clusterId).to.equal('alpha')
  })

  it('starts at once on nodes that somebody served after it has left', () => {
    const blocked = anEntry({ since: NOW - 2, request: whole })
    const beta = { demand: { nodes: 3 }, period: flexible(10), prefers: { provider: 'kakao' } }
    const blocker = anEntry({ since: NOW - 1, request: aRequest(beta) })
    const calendar = aCalendar(FLEET, [
      { op: 'wait', entry: blocked },
      reserve(held(NEXT_HOUR + 40 * HOUR_MS, 24, { allocationId: blocked.allocationId, phase: 'planned' })),
      { op: 'wait', entry: blocker },
      reserve(held(NEXT_HOUR + 12 * HOUR_MS, 10, { allocationId: blocker.allocationId, phase: 'planned', nodes: 3 })),
    ])
    const changes = replanned(calendar, NOW)
    expect(
      changes.map(({ allocationId, startsNow, placement }) => [allocationId, startsNow, placement?.clusterId]),
    ).to.deep.equal([
      [blocked.allocationId, true, 'alpha'],
      [blocker.allocationId, true, 'beta'],
    ])
  })

  it('is planned anew where a drain has taken the nodes of its place', () => {
    const entry = anEntry({ request: whole })
    const drain = {
      id: 'drn',
      clusterId: 'alpha',
      nodes: 1,
      from: NEXT_HOUR + 5 * HOUR_MS,
      to: NEXT_HOUR + 50 * HOUR_MS,
    }
    const calendar = aCalendar(alpha, [...waitingWith(entry, NEXT_HOUR + DAY_MS, 24), { op: 'drain', drain }])
    expect(only(calendar)?.placement?.start).to.equal(drain.to)
  })

  it('becomes scheduled when an earlier place gives the asked start', () => {
    const asked = NEXT_HOUR + 3 * HOUR_MS
    const entry = anEntry({ request: { ...whole, period: fixed(asked, 24) } })
    const calendar = aCalendar(alpha, waitingWith(entry, asked + DAY_MS, 24))
    const change = only(calendar)
    expect(change).to.include({ startsNow: false, startsAsAsked: true, reason: null })
    expect(change?.placement?.start).to.equal(asked)
    carryOut(calendar, change === null ? [] : [change])
    expect(reservationOf(calendar, entry.allocationId)).to.include({ phase: 'scheduled', start: asked })
    expect(waiting(calendar)).to.deep.equal([])
  })

  it('takes up its place some seconds after the hour, though its full length would run into whoever comes next', () => {
    const entry = anEntry({ request: whole })
    const next = held(NEXT_HOUR + 25 * HOUR_MS, 24)
    const change = only(aCalendar(alpha, [...waitingWith(entry, NEXT_HOUR, 24), reserve(next)]), NEXT_HOUR + 3_000)
    expect(change?.startsNow).to.equal(true)
    expect(change?.placement).to.include({ start: NEXT_HOUR, end: NEXT_HOUR + DAY_MS })
  })

  it('has its full length from the instant it starts, where nobody is in the way', () => {
    const entry = anEntry({ request: whole })
    const change = only(aCalendar(alpha, waitingWith(entry, NEXT_HOUR, 24)), NEXT_HOUR + 3_000)
    expect(change?.placement).to.include({ start: NEXT_HOUR + 3_000, end: NEXT_HOUR + 3_000 + DAY_MS })
  })

  it('starts at its latest start though the clock is seconds past it', () => {
    const entry = anEntry({ request: { ...whole, period: flexible(24, NOW, NEXT_HOUR) } })
    const change = only(aCalendar(alpha, waitingWith(entry, NEXT_HOUR, 24)), NEXT_HOUR + 3_000)
    expect(change).to.include({ startsNow: true, expired: false })
  })

  it('keeps its place while its provider does not answer, and starts elsewhere if it can', () => {
    const entry = anEntry({ request: aRequest({ demand: { nodes: 3 } }) })
    const ops: CalendarOp[] = [
      ...waitingWith(entry, NEXT_HOUR, 24),
      { op: 'circuit', providerId: 'nhn', createOpenUntil: NEXT_HOUR + 60_000 },
    ]
    expect(only(aCalendar(alpha, ops), NEXT_HOUR + 3_000)).to.equal(null)
    const change = only(aCalendar(FLEET, ops), NEXT_HOUR + 3_000)
    expect(change?.placement).to.include({ clusterId: 'beta', start: NEXT_HOUR + 3_000 })
  })

  it('is served before a lower priority and a later arrival when room appears', () => {
    const entries = [
      anEntry({ since: NOW - 1, request: whole }),
      anEntry({ since: NOW - 2, request: whole }),
      anEntry({ since: NOW, request: whole, priority: 'national' }),
    ]
    const calendar = aCalendar(alpha, [reserve(held(NOW, 48, { allocationId: 'first' }))])
    for (const entry of entries) ask(calendar, entry)
    applyOp(calendar, { op: 'release', allocationId: 'first' })
    const [gainer] = replanned(calendar, NOW)
    expect(gainer).to.include({ allocationId: entries[2]?.allocationId, startsNow: true })
  })

  it('is told what it waits for', () => {
    const requires = { shares: ['government' as const], architectures: ['blackwell'], cooling: ['liquid' as const] }
    const entry = anEntry({ request: { ...whole, requires } })
    const busy = held(NOW, 48)
    const calendar = aCalendar(alpha, [reserve(busy), { op: 'wait', entry }])
    expect(only(calendar)?.reason).to.equal('6 nodes of blackwell, liquid: alpha is full until 2027-01-06 12:00')
  })

  it('loses a place on a suspended cluster, and is told so where no other serves it', () => {
    const entry = anEntry({ request: whole })
    const calendar = aCalendar(alpha, [
      ...waitingWith(entry, NEXT_HOUR, 24),
      { op: 'suspend-cluster', clusterId: 'alpha' },
    ])
    expect(only(calendar)).to.deep.equal({
      allocationId: entry.allocationId,
      placement: null,
      startsNow: false,
      startsAsAsked: false,
      expired: false,
      reason: '6 nodes: alpha is suspended: nothing new is placed there.',
    })
    carryOut(calendar, replanned(calendar, NOW))
    expect(replanned(calendar, NOW)).to.deep.equal([])
    applyOp(calendar, { op: 'resume-cluster', clusterId: 'alpha' })
    expect(only(calendar)?.startsNow).to.equal(true)
  })

  for (const [limit, request] of [
    ['latest start', { ...whole, period: flexible(24, NOW, NOW + HOUR_MS) }],
    ['approval', { ...whole, approval: anApproval({ validTo: NOW + 25 * HOUR_MS }) }],
  ] as const)
    it(`waits without a place until its ${limit} has passed, and not longer`, () => {
      const entry = anEntry({ request })
      const calendar = aCalendar(alpha, [reserve(held(NOW, 100)), { op: 'wait', entry }])
      expect(only(calendar, NOW + HOUR_MS)).to.equal(null)
      const change = only(calendar, NOW + HOUR_MS + 1)
      expect(change).to.include({ expired: true, placement: null })
      if (change === null) return
      expect(waitIsOver(change)).to.equal(true)
      carryOut(calendar, [change])
      expect(waiting(calendar)).to.deep.equal([])
    })

  it('gives up a place whose whole time has gone by', () => {
    const entry = anEntry({ request: whole })
    const calendar = aCalendar(alpha, [
      ...waitingWith(entry, NEXT_HOUR, 24),
      reserve(held(NEXT_HOUR + 30 * HOUR_MS, 10)),
    ])
    const change = only(calendar, NEXT_HOUR + 26 * HOUR_MS)
    expect(change?.placement?.start).to.equal(NEXT_HOUR + 41 * HOUR_MS)
    expect(change?.reason).to.equal('6 nodes: alpha is full until 2027-01-06 04:00')
  })
})
