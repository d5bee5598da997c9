import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { applyOp, coverNow } from '../../broker/core/calendar.ts'
import { cloneCalendar, copySteps } from '../../broker/core/calendar-copy.ts'
import type { CalendarOp } from '../../broker/core/calendar-op.ts'
import {
  clusterAt,
  clusterOf,
  clustersIn,
  factsOf,
  isSuspended,
  openUntil,
  reservationOf,
  reservationsOn,
  waiting,
  waitingEntryOf,
} from '../../broker/core/calendar-reads.ts'
import { withOps } from '../../broker/core/calendar-undo.ts'
import { commitmentsOf } from '../../broker/core/commitments.ts'
import { place } from '../../broker/core/placement/place.ts'
import { DEFAULT_POLICY } from '../../broker/core/placement/policy.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/time.ts'
import {
  aCalendar,
  aCluster,
  anApproval,
  anEntry,
  anyDrain,
  anyInstant,
  aRequest,
  aReservation,
  NOW,
  reserve,
} from './fleet.ts'

const alpha = aCluster({ id: 'alpha', nodes: 10 })
const beta = aCluster({ id: 'beta', nodes: 6, providerId: 'kakao', cooling: 'undisclosed' })
const CLUSTERS = [alpha, beta]
const CLUSTER_IDS = ['alpha', 'beta']
const ALLOCATIONS = ['alc-a', 'alc-b', 'alc-c', 'alc-d']

const clusterId = fc.constantFrom(...CLUSTER_IDS)
const allocationId = fc.constantFrom(...ALLOCATIONS)
const approvalId = fc.constantFrom('apr-1', 'apr-2')

const anyOp: fc.Arbitrary<CalendarOp> = fc.oneof(
  fc
    .record({
      allocationId,
      approvalId,
      clusterId,
      nodes: fc.integer({ min: 1, max: 8 }),
      start: anyInstant(5),
      hours: fc.integer({ min: 1, max: 90 }),
    })
    .map(({ hours, ...facts }) =>
      reserve(
        aReservation({ ...facts, end: facts.start + hours * HOUR_MS, order: ALLOCATIONS.indexOf(facts.allocationId) }),
      ),
    ),
  allocationId.map((id): CalendarOp => ({ op: 'release', allocationId: id })),
  fc.record({ allocationId, approvalId, since: anyInstant(1) }).map(
    (facts): CalendarOp => ({
      op: 'wait',
      entry: anEntry({ ...facts, order: ALLOCATIONS.indexOf(facts.allocationId) }),
    }),
  ),
  allocationId.map((id): CalendarOp => ({ op: 'unwait', allocationId: id })),
  anyDrain(CLUSTER_IDS).map((drain): CalendarOp => ({ op: 'drain', drain })),
  fc.constantFrom('drn-1', 'drn-2').map((drainId): CalendarOp => ({ op: 'lift-drain', drainId })),
  fc.record({ op: fc.constantFrom('suspend-cluster' as const, 'resume-cluster' as const), clusterId }),
  fc.record({
    op: fc.constantFrom('suspend-provider' as const, 'resume-provider' as const),
    providerId: fc.constantFrom('nhn', 'kakao'),
  }),
  fc.record({
    op: fc.constant('circuit' as const),
    providerId: fc.constantFrom('nhn', 'kakao'),
    createOpenUntil: fc.option(anyInstant(1)),
  }),
  fc
    .constantFrom([alpha, beta], [alpha], [beta, { ...alpha, nodes: 12 }], [alpha, beta, aCluster({ id: 'gamma' })])
    .map((clusters): CalendarOp => ({ op: 'catalogue', clusters })),
)
const anyOps = fc.array(anyOp, { maxLength: 25 })

/** What the calendar holds, and what it makes of it: a question at which every cluster has to answer. */
const outcomeOf = (calendar: ReturnType<typeof aCalendar>): unknown => ({
  facts: factsOf(calendar),
  commitments: ['apr-1', 'apr-2'].map((id) => commitmentsOf(calendar, id)),
  placement: place(
    calendar,
    aRequest({ demand: { nodes: 5 }, approval: anApproval({ approvalId: 'apr-1', maxNodes: 9 }) }),
    NOW,
    DEFAULT_POLICY,
  ),
})

describe('the calendar', () => {
  it('is the same for every replica that applies the same operations', () => {
    fc.assert(
      fc.property(anyOps, fc.integer({ min: -50, max: 0 }), (ops, days) => {
        const ours = aCalendar(CLUSTERS, ops)
        const theirs = aCalendar(CLUSTERS, JSON.parse(JSON.stringify(ops)) as CalendarOp[], NOW + days * DAY_MS) // its own JSON
        expect(outcomeOf(theirs)).to.deep.equal(outcomeOf(ours))
      }),
    )
  })

  it('keeps no trace of what was tried and taken back', () => {
    fc.assert(
      fc.property(anyOps, anyOps, (ops, tried) => {
        const calendar = aCalendar(CLUSTERS, ops)
        const before = outcomeOf(calendar)
        withOps(calendar, tried, () => outcomeOf(calendar))
        expect(outcomeOf(calendar)).to.deep.equal(before)
      }),
    )
  })

  it('keeps no trace of what was tried and failed half-way', () => {
    const calendar = aCalendar(CLUSTERS)
    const before = outcomeOf(calendar)
    const ops = [
      reserve(aReservation({ start: NOW, end: NOW + DAY_MS, nodes: 4 })),
      reserve(aReservation({ start: NOW, end: NOW + DAY_MS, clusterId: 'nowhere' })),
    ]
    expect(() => withOps(calendar, ops, () => 'asked')).to.throw(RangeError, 'nowhere')
    expect(() =>
      withOps(calendar, ops.slice(0, 1), () => {
        throw new Error('the question failed')
      }),
    ).to.throw('the question failed')
    expect(outcomeOf(calendar)).to.deep.equal(before)
  })

  it('answers a trial as if the operations had been applied', () => {
    fc.assert(
      fc.property(anyOps, anyOps, (ops, tried) => {
        const tries = withOps(aCalendar(CLUSTERS, ops), tried, () => null)
        expect(tries).to.equal(null)
        const answer = aCalendar(CLUSTERS, ops)
        expect(withOps(answer, tried, () => outcomeOf(answer))).to.deep.equal(
          outcomeOf(aCalendar(CLUSTERS, [...ops, ...tried])),
        )
      }),
    )
  })

  it('is not changed by what happens to its copy, nor the copy by what happens to it', () => {
    fc.assert(
      fc.property(anyOps, anyOps, anyOps, (ops, theirs, ours) => {
        const calendar = aCalendar(CLUSTERS, ops)
        const copy = cloneCalendar(calendar)
        for (const op of theirs) applyOp(copy, op)
        for (const op of ours) applyOp(calendar, op)
        expect(outcomeOf(calendar)).to.deep.equal(outcomeOf(aCalendar(CLUSTERS, [...ops, ...ours])))
        expect(outcomeOf(copy)).to.deep.equal(outcomeOf(aCalendar(CLUSTERS, [...ops, ...theirs])))
      }),
    )
  })

  it('is copied whole though others ask between the steps, with what they take off and put back, and at other instants', () => {
    fc.assert(
      fc.property(anyOps, anyOps, (ops, theirs) => {
        const calendar = aCalendar(CLUSTERS, ops)
        const away = ALLOCATIONS.map((id): CalendarOp => ({ op: 'release', allocationId: id }))
        const steps = copySteps(calendar)
        let step = steps.next()
        for (let asked = 1; step.done !== true; asked += 1) {
          withOps(calendar, away, () => coverNow(calendar, NOW + asked * MINUTE_MS))
          step = steps.next()
        }
        coverNow(step.value, NOW)
        for (const op of theirs) applyOp(step.value, op)
        expect(outcomeOf(step.value)).to.deep.equal(outcomeOf(aCalendar(CLUSTERS, [...ops, ...theirs])))
      }),
    )
  })

  it('replaces a reservation by its allocation, in another cluster too', () => {
    const here = aReservation({ allocationId: 'alc-a', start: NOW, end: NOW + DAY_MS, nodes: 4 })
    const there = { ...here, clusterId: 'beta', nodes: 2 }
    const calendar = aCalendar(CLUSTERS, [reserve(here), reserve(there)])
    expect(reservationOf(calendar, 'alc-a')).to.deep.equal(there)
    expect(reservationsOn(calendar, 'alpha')).to.deep.equal([])
    expect(commitmentsOf(calendar, 'apr').map(({ nodes }) => nodes)).to.deep.equal([2])
  })

  it('releases what is not there without a word, and refuses a cluster that it does not know', () => {
    const calendar = aCalendar(CLUSTERS)
    applyOp(calendar, { op: 'release', allocationId: 'nobody' })
    applyOp(calendar, { op: 'unwait', allocationId: 'nobody' })
    applyOp(calendar, { op: 'lift-drain', drainId: 'none' })
    const unknown = { id: 'drn', clusterId: 'nowhere', nodes: 1, from: NOW, to: NOW + 1 }
    for (const op of [
      { op: 'drain', drain: unknown },
      { op: 'suspend-cluster', clusterId: 'nowhere' },
    ] as const)
      expect(() => applyOp(calendar, op)).to.throw(RangeError, 'nowhere')
    expect(reservationOf(calendar, 'nobody')).to.equal(null)
    expect(waitingEntryOf(calendar, 'nobody')).to.equal(null)
  })

  it('keeps the reservations of a cluster that the catalogue no longer names, and counts them as a shortfall', () => {
    const reservation = aReservation({ start: NOW, end: NOW + DAY_MS, nodes: 4, phase: 'running' })
    const calendar = aCalendar(CLUSTERS, [reserve(reservation), { op: 'catalogue', clusters: [beta] }])
    expect(clustersIn(calendar).map(({ id }) => id)).to.deep.equal(['beta'])
    expect(clusterOf(calendar, 'alpha')).to.equal(null)
    expect(reservationOf(calendar, reservation.allocationId)).to.deep.equal(reservation)
    expect(clusterAt(calendar, 'alpha', NOW).shortfall).to.equal(4)
    applyOp(calendar, { op: 'catalogue', clusters: CLUSTERS })
    expect(clusterAt(calendar, 'alpha', NOW)).to.include({
      capacity: 10,
      reserved: 4,
      running: 4,
      shortfall: 0,
      idle: 6,
    })
  })

  it('shows a cluster at one instant, drains and quarantine apart', () => {
    const calendar = aCalendar(CLUSTERS, [
      reserve(aReservation({ start: NOW - DAY_MS, end: NOW - HOUR_MS, heldUntil: NOW + 1, nodes: 2 })),
      reserve(aReservation({ start: NOW, end: NOW + DAY_MS, nodes: 3, phase: 'running' })),
      { op: 'drain', drain: { id: 'drn', clusterId: 'alpha', nodes: 4, from: NOW, to: NOW + DAY_MS } },
      {
        op: 'drain',
        drain: { id: 'q', clusterId: 'alpha', nodes: 1, from: NOW, to: NOW + DAY_MS, kind: 'quarantine' },
      },
    ])
    const counts = { capacity: 10, drained: 4, quarantined: 1, idle: 0, running: 3, shortfall: 0 }
    expect(clusterAt(calendar, 'alpha', NOW)).to.deep.equal({ ...counts, reserved: 5 })
    expect(clusterAt(calendar, 'alpha', NOW + 1)).to.deep.equal({ ...counts, reserved: 3, idle: 2 })
    expect(clusterAt(calendar, 'alpha', NOW + 30 * DAY_MS)).to.include({ idle: 10, reserved: 0 })
  })

  it('counts a provider that is suspended as all its clusters being so, and a circuit as open until its time', () => {
    const calendar = aCalendar(CLUSTERS, [
      { op: 'suspend-provider', providerId: 'kakao' },
      { op: 'circuit', providerId: 'nhn', createOpenUntil: NOW + 5 },
    ])
    expect(isSuspended(calendar, beta)).to.equal(true)
    expect(isSuspended(calendar, alpha)).to.equal(false)
    expect(openUntil(calendar, 'nhn', NOW)).to.equal(NOW + 5)
    expect(openUntil(calendar, 'nhn', NOW + 5)).to.equal(null)
  })

  it('lists those who wait in serving order, after every change', () => {
    const [first, second] = [anEntry({ since: NOW }), anEntry({ since: NOW, priority: 'national' })]
    const calendar = aCalendar(CLUSTERS, [{ op: 'wait', entry: first }])
    expect(waiting(calendar)).to.deep.equal([first])
    applyOp(calendar, { op: 'wait', entry: second })
    expect(waiting(calendar)).to.deep.equal([second, first])
    applyOp(calendar, { op: 'unwait', allocationId: second.allocationId })
    expect(waiting(calendar)).to.deep.equal([first])
  })

  it('makes the same decision after its grids have moved on', () => {
    fc.assert(
      fc.property(anyOps, fc.integer({ min: 0, max: 90 }), (ops, days) => {
        const calendar = aCalendar(CLUSTERS, ops, NOW - days * DAY_MS)
        coverNow(calendar, NOW - Math.floor(days / 2) * DAY_MS)
        expect(outcomeOf(calendar)).to.deep.equal(outcomeOf(aCalendar(CLUSTERS, ops)))
      }),
    )
  })
})

describe('what an approval has committed', () => {
  it('is its reservations and those who wait, who hold the GPU-time of their dearest cluster', () => {
    const reserved = aReservation({ start: NOW, end: NOW + 10 * HOUR_MS, nodes: 3 })
    const hopper = aCluster({ id: 'hopper', architecture: 'hopper', fp8H200PerGpu: 1, nodes: 20 })
    const entry = anEntry({ request: aRequest({ demand: { fp8H200Equivalent: 36 } }) })
    const calendar = aCalendar([alpha, hopper], [reserve(reserved), { op: 'wait', entry }])
    const [first, second] = commitmentsOf(calendar, 'apr')
    expect(first).to.deep.include({
      nodes: 3,
      waiting: false,
      gpuMs: 3 * 8 * 10 * HOUR_MS,
      interval: { start: NOW, end: NOW + 10 * HOUR_MS },
    })
    // 36 H200s: two nodes of Blackwell, five of Hopper.
    expect(second).to.deep.include({ nodes: 0, waiting: true, interval: null, gpuMs: 5 * 8 * 24 * HOUR_MS })
  })

  it('holds nothing for a cluster that whoever waits can never come to lie in', () => {
    const tooSmall = aCluster({ id: 'hopper', architecture: 'hopper', fp8H200PerGpu: 1, nodes: 4 })
    const entry = anEntry({ request: aRequest({ demand: { fp8H200Equivalent: 36 } }) })
    const calendar = aCalendar([alpha, tooSmall], [{ op: 'wait', entry }])
    expect(commitmentsOf(calendar, 'apr').map(({ gpuMs }) => gpuMs)).to.deep.equal([2 * 8 * 24 * HOUR_MS])
  })

  it('is forgotten with its last allocation', () => {
    const reserved = aReservation({ start: NOW, end: NOW + HOUR_MS })
    const calendar = aCalendar(CLUSTERS, [reserve(reserved), { op: 'release', allocationId: reserved.allocationId }])
    expect(commitmentsOf(calendar, 'apr')).to.deep.equal([])
    expect(calendar.approvals.size).to.equal(0)
  })
})
