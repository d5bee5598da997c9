/**
 * One decision in memory: five clusters, 10,000 live reservations, after more and more operations. The floor is the bare
 * question that nobody can decide without, asked of each cluster: is it free at the asked start?
 */
import { applyOp, type Calendar } from '../../broker/core/calendar.ts'
import { reservationOf } from '../../broker/core/calendar-reads.ts'
import { place } from '../../broker/core/placement/place.ts'
import { DEFAULT_POLICY } from '../../broker/core/placement/policy.ts'
import { askedStartOf, durationOf } from '../../broker/core/placement/request.ts'
import { firstShortage } from '../../broker/core/timeline.ts'
import { calendarWith, idOf, laterRequestAt, NOW, reserveAt } from './full-calendar.ts'
import { type Line, middleOf, printTable, timed, type Timing } from './measure.ts'

const LIVE = 10_000
const OPERATIONS = [10_000, 100_000, 1_000_000] as const
const CALLS = 5_000
const RUNS = 5
/** Requests that are asked about; those below have become reservations. */
const FIRST_ASKED = 10_000_000

const requests = Array.from({ length: CALLS }, (_, index) => laterRequestAt(FIRST_ASKED + index))
const requestOf = (index: number) => requests[index] ?? laterRequestAt(FIRST_ASKED + index)

const calendar = calendarWith(LIVE)
let operations: number = LIVE
let lines: readonly Line[] = []
for (const wanted of OPERATIONS) {
  operations = churn(calendar, operations, wanted)
  const floor = several(askBarely)
  lines = [
    ...lines,
    { what: `the bare question, ${wanted} operations`, timing: floor, floor: null, bar: '' },
    { what: `one decision, ${wanted} operations`, timing: several(decide), floor, bar: 'p50 ≤ 10, p99 ≤ 50' },
    { what: `decided, applied, taken back, ${wanted}`, timing: several(decideAndApply), floor, bar: '' },
  ]
}
printTable(lines)

function several(call: (index: number) => void): Timing {
  timed(CALLS, call)
  return middleOf(Array.from({ length: RUNS }, () => timed(CALLS, call)))
}

function askBarely(index: number): void {
  const { period, demand } = requestOf(index)
  const start = askedStartOf(period)
  const nodes = 'nodes' in demand ? demand.nodes : 0
  for (const { timeline } of calendar.listed) firstShortage(timeline, { start, end: start + durationOf(period) }, nodes)
}

function decide(index: number): void {
  place(calendar, requestOf(index), NOW, DEFAULT_POLICY)
}

function decideAndApply(index: number): void {
  const { best } = place(calendar, requestOf(index), NOW, DEFAULT_POLICY)
  if (best === null) return
  applyOp(calendar, reserveAt(FIRST_ASKED, best))
  applyOp(calendar, { op: 'release', allocationId: idOf(FIRST_ASKED) })
}

/** Each goes and comes back to its place: two operations, and as many live as before. */
function churn(calendar: Calendar, done: number, wanted: number): number {
  let operations = done
  for (let index = 0; operations < wanted; index = (index + 1) % LIVE) {
    const reservation = reservationOf(calendar, idOf(index))
    if (reservation === null) throw new Error('every live one has its place')
    applyOp(calendar, { op: 'release', allocationId: reservation.allocationId })
    applyOp(calendar, { op: 'reserve', reservation })
    operations += 2
  }
  return operations
}
