import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { applyOp, type Calendar } from '../../broker/core/calendar.ts'
import { reservationOf, waiting, waitingEntryOf } from '../../broker/core/calendar-reads.ts'
import { place } from '../../broker/core/placement/place.ts'
import { EARLIEST_FIT_1 } from '../../broker/core/placement/policy.ts'
import { opsOfChange, reservationFor } from '../../broker/core/plan-change.ts'
import { replan } from '../../broker/core/replan.ts'
import { HOUR_MS, type EpochMs } from '../../shared/time.ts'
import { aCalendar, aCluster, anEntry, aRequest, flexible, NEXT_HOUR, reserve } from './fleet.ts'

// One cluster of each architecture, so that which of two alike is better is never asked; all on full hours.
const NODES = { blackwell: 6, hopper: 4 } as const
type Architecture = keyof typeof NODES
const FLEET = Object.entries(NODES).map(([architecture, nodes]) => aCluster({ id: architecture, architecture, nodes }))
const TURNOVER_HOURS = 1

interface Ask {
  readonly architecture: Architecture
  readonly nodes: number
  readonly hours: number
}
type Step = { readonly asks: Ask } | { readonly hours: number } | { readonly releases: number }

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      asks: fc.record({
        architecture: fc.constantFrom<Architecture>('blackwell', 'blackwell', 'hopper'),
        nodes: fc.integer({ min: 1, max: 4 }),
        hours: fc.integer({ min: 1, max: 12 }),
      }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ hours: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 1, arbitrary: fc.record({ releases: fc.nat(30) }) },
)

/** By hand: every hour is counted anew for every question, and nothing is known but who holds what. */
interface Held extends Ask {
  readonly id: string
  start: number
  waits: boolean
}

const used = (held: readonly Held[], architecture: Architecture, hour: number): number =>
  held
    .filter((one) => one.architecture === architecture)
    .filter(({ start, hours }) => start <= hour && hour < start + hours + TURNOVER_HOURS)
    .reduce((sum, { nodes }) => sum + nodes, 0)

function earliestByHand(others: readonly Held[], { architecture, nodes, hours }: Ask, now: number): number {
  for (let start = now; ; start += 1) {
    const needed = Array.from({ length: hours + TURNOVER_HOURS }, (_, at) => start + at)
    if (needed.every((hour) => used(others, architecture, hour) + nodes <= NODES[architecture])) return start
  }
}

/** Each who waits, in the order of submission, moves earlier beside all others; then again for starts now, while there are some. */
function moveEarlier(held: readonly Held[], now: number): void {
  for (let pass = 0; pass < EARLIEST_FIT_1.replanPasses; pass += 1) {
    let started = false
    for (const one of held.filter(({ waits }) => waits)) {
      const others = held.filter((other) => other !== one)
      const start = Math.min(one.start, earliestByHand(others, one, now))
      if (pass > 0 && start > now) continue
      one.start = start
      one.waits = start > now
      started ||= !one.waits
    }
    if (!started) return
  }
}

function ask(calendar: Calendar, { architecture, nodes, hours }: Ask, now: EpochMs): string {
  const requires = { architectures: [architecture], shares: ['government' as const] }
  const entry = anEntry({
    since: now,
    request: aRequest({ demand: { nodes }, requires, period: flexible(hours, now) }),
  })
  const { best, startsAsAsked } = place(calendar, entry.request, now, EARLIEST_FIT_1)
  if (best === null) throw new Error('everybody finds a place')
  applyOp(calendar, reserve(reservationFor(entry, best, startsAsAsked ? 'running' : 'planned')))
  if (!startsAsAsked) applyOp(calendar, { op: 'wait', entry })
  return entry.allocationId
}

function planAgain(calendar: Calendar, now: EpochMs): void {
  for (const change of replan(calendar, { now, policy: EARLIEST_FIT_1, seed: 1 }).changes) {
    const entry = waitingEntryOf(calendar, change.allocationId)
    if (entry !== null) for (const op of opsOfChange(entry, change)) applyOp(calendar, op)
  }
}

const estimates = (calendar: Calendar): Record<string, number> =>
  Object.fromEntries(
    waiting(calendar).map(({ allocationId: id }) => [
      id,
      ((reservationOf(calendar, id)?.start ?? Number.NaN) - NEXT_HOUR) / HOUR_MS,
    ]),
  )

describe('the estimates of the plain plan', () => {
  it('are those of a conservative planner that counts every hour by hand, after whatever comes, leaves or passes', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { minLength: 4, maxLength: 25 }), (steps) => {
        const calendar = aCalendar(FLEET)
        const held: Held[] = []
        let now = 0
        const both = (): void => {
          planAgain(calendar, NEXT_HOUR + now * HOUR_MS)
          moveEarlier(held, now)
          expect(estimates(calendar)).to.deep.equal(
            Object.fromEntries(held.filter(({ waits }) => waits).map(({ id, start }) => [id, start])),
          )
        }
        for (const step of steps) {
          if ('asks' in step) {
            const id = ask(calendar, step.asks, NEXT_HOUR + now * HOUR_MS)
            const start = earliestByHand(held, step.asks, now)
            held.push({ ...step.asks, id, start, waits: start > now })
          } else if ('releases' in step) {
            const [gone] = held.splice(step.releases % Math.max(1, held.length), 1)
            if (gone !== undefined) {
              applyOp(calendar, { op: 'release', allocationId: gone.id })
              applyOp(calendar, { op: 'unwait', allocationId: gone.id })
            }
          }
          // Hour by hour, because a planned start that is at hand is a turn of its own.
          const passing = 'hours' in step ? step.hours : 0
          for (let hour = 0; hour < passing; hour += 1) {
            now += 1
            both()
          }
          both()
        }
      }),
      { numRuns: 80 },
    )
  })
})
