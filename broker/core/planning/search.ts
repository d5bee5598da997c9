/**
 * The best order that so many tries find: some orders that are good by themselves, then small moves of one task to another
 * place in the order. Whoever would start past its promise is moved to the front, and the order is tried again. What is
 * found follows from the problem, the policy and the seed; how long it takes changes nothing.
 */
import type { SearchPolicy } from '../placement/policy.ts'
import { durationOf } from '../placement/request.ts'
import type { Problem, Task } from './problem.ts'
import { cloneSlots, copySlots, deskFor, isLess, tryOrder, type Desk, type Slots, type Worth } from './try-order.ts'

export interface Found {
  readonly slots: Slots
  readonly worth: Worth
}

export interface SearchOptions {
  readonly policy: SearchPolicy
  readonly seed: number
  /** Share of the policy's tries and patience. */
  readonly effort: number
  /** What the present plan comes to: only something better is of use. */
  readonly present: Worth
}

export interface SearchResult {
  /** Null: nothing was found that is better than the present plan. */
  readonly found: Found | null
  /** Placements that were tried. */
  readonly tried: number
}

/** What the present plan comes to where it can no longer be had: whatever is found is better. */
export const NO_PLAN: Worth = { late: Number.MAX_SAFE_INTEGER, cost: Number.MAX_SAFE_INTEGER }

interface Best {
  worth: Worth
  order: readonly number[] | null
  readonly slots: Slots
}

/** Yields after each order that was tried. */
export function* searchPlan(problem: Problem, options: SearchOptions): Generator<undefined, SearchResult> {
  const { policy, present, effort } = options
  const desk = yield* deskFor(problem, Math.floor(effort * mostTries(problem, policy)))
  const best: Best = { worth: present, order: null, slots: cloneSlots(desk.kept.slots) }
  for (const order of seedOrders(problem, policy)) {
    if (desk.tried >= desk.mostTried || isIdeal(desk, best.worth)) break
    yield* tryRepairing(desk, order, policy, best)
  }
  if (best.order === null) yield* tryRepairing(desk, presentOrder(problem), policy, best)
  if (best.order === null && !problem.stays) yield* tryAnyhow(desk, presentOrder(problem), best)
  yield* improve(desk, options, best)
  return { found: best.order === null ? null : { slots: best.slots, worth: best.worth }, tried: desk.tried }
}

/** Every try is as long as there are tasks, and finds the less the more there are: so with their square. */
function mostTries({ tasks }: Problem, { placements, crowd }: SearchPolicy): number {
  const many = Math.max(crowd, tasks.length)
  return (placements * crowd * crowd) / (many * many)
}

function keep(best: Best, desk: Desk, order: readonly number[], worth: Worth): void {
  best.worth = worth
  best.order = order
  copySlots(desk.kept.slots, best.slots)
}

/** Nobody is bound to a cluster. */
const freeFor = (order: readonly number[]): Int8Array => new Int8Array(order.length).fill(-1)

/** Who is late goes to the front; who is late even there may be late, where there is no present plan to go back to. */
function* tryRepairing(
  desk: Desk,
  first: readonly number[],
  policy: SearchPolicy,
  best: Best,
): Generator<undefined, void> {
  const mayBeLate = new Set<number>()
  const moved = new Set<number>()
  const pins = freeFor(first)
  let order = first
  for (let repairs = 0; repairs <= policy.repairs; repairs += 1) {
    const outcome = tryOrder(desk, { order, shared: 0, pins, mayBeLate, limit: best.worth })
    yield
    if (outcome.kind === 'worse') return
    if (outcome.kind === 'complete') {
      if (isLess(outcome.worth, best.worth)) keep(best, desk, order, outcome.worth)
      return
    }
    const { task } = outcome
    const isStuck = moved.has(task) && order[0] === task
    if (isStuck && desk.problem.stays) return
    if (isStuck) mayBeLate.add(task)
    moved.add(task)
    order = [task, ...order.filter((other) => other !== task)]
  }
}

/** Everybody may be late. */
function* tryAnyhow(desk: Desk, order: readonly number[], best: Best): Generator<undefined, void> {
  const mayBeLate = new Set(order)
  const outcome = tryOrder(desk, { order, shared: 0, pins: freeFor(order), mayBeLate, limit: best.worth })
  yield
  if (outcome.kind === 'complete') keep(best, desk, order, outcome.worth)
}

/** So many accepted plans back a new one must not be worse than: what lets the search leave a plan that no move betters. */
const MEMORY = 24

/** The search goes on for so many times as long as it took to its last gain. */
const MOMENTUM = 3

/**
 * Moves of one task, as chance with a seed has it, for as long as there are tries left. A plan is gone on from if it is no
 * worse than the present one, or than the one of some steps ago; the best of all is kept.
 */
function* improve(desk: Desk, { policy, seed, effort }: SearchOptions, best: Best): Generator<undefined, void> {
  const { tasks } = desk.problem
  if (tasks.length < 2 || isIdeal(desk, best.worth)) return
  // Orders that lose to the present plan may still lead to one that does not.
  const first = best.order ?? presentOrder(desk.problem)
  const mayBeLate = new Set(first.filter((at) => (best.slots.slot[at] ?? 0) > (tasks[at]?.latest ?? 0)))
  const begun = tryOrder(desk, { order: first, shared: 0, pins: freeFor(first), mayBeLate, limit: NO_PLAN })
  yield
  // The order of the present starts may break a promise, where tasks were bound to clusters.
  if (begun.kind !== 'complete') return
  let current: Sequence = { order: first, pins: freeFor(first), worth: begun.worth }
  const chance = chanceFrom(seed)
  const memory: Worth[] = Array.from({ length: MEMORY }, () => begun.worth)
  const least = effort * policy.patience * tasks.length * tasks.length
  let lastBetter = 0
  // The longer it took to find something better, the longer it goes on.
  const isPatient = (step: number): boolean => step < Math.max(least, MOMENTUM * lastBetter)
  for (let step = 0; desk.tried < desk.mostTried && isPatient(step); step += 1) {
    const { order, pins, shared } = movedBy(chance, desk.problem, current)
    const past = memory[step % MEMORY] ?? begun.worth
    const bound = isLess(past, current.worth) ? current.worth : past
    const limit = { late: bound.late, cost: bound.cost + 1 }
    const outcome = tryOrder(desk, { order, shared, pins, mayBeLate, limit })
    yield
    if (outcome.kind === 'complete') {
      current = { order, pins, worth: outcome.worth }
      if (isLess(outcome.worth, best.worth)) {
        keep(best, desk, order, outcome.worth)
        lastBetter = step
      }
    }
    memory[step % MEMORY] = current.worth
  }
}

/** Nobody is in anybody's way: who has no place would have none alone either. */
const isIdeal = ({ floor, floorLate }: Desk, { late, cost }: Worth): boolean => late <= floorLate && cost <= floor

interface Sequence {
  readonly order: readonly number[]
  readonly pins: Int8Array
  readonly worth: Worth
}

interface Move extends Omit<Sequence, 'worth'> {
  /** So many of the first are as they were. */
  readonly shared: number
}

/** One task goes to another place in the order; now and then it is bound to one of its clusters, or set free again. */
function movedBy(chance: (bound: number) => number, { tasks }: Problem, { order, pins }: Sequence): Move {
  const [from, to] = [chance(order.length), chance(order.length)]
  const task = order[from] as number // inside the order
  const options = tasks[task]?.options.length ?? 0
  if (options < 2 || chance(4) > 0)
    return { order: order.toSpliced(from, 1).toSpliced(to, 0, task), pins, shared: Math.min(from, to) }
  const bound = pins.slice()
  bound[task] = chance(options + 1) - 1
  return { order, pins: bound, shared: from }
}

type Compare = (a: Task, b: Task) => number

const byLength: Compare = (a, b) => durationOf(a.entry.request.period) - durationOf(b.entry.request.period)
const workOf = ({ entry, options }: Task): number => (options[0]?.nodes ?? 0) * durationOf(entry.request.period)
const byWork: Compare = (a, b) => workOf(a) - workOf(b)

/** Indexes of tasks; they are handed over in serving order, which decides where nothing else does. */
function orderBy(problem: Problem, compare: Compare): number[] {
  return problem.tasks
    .map((task, at) => ({ task, at }))
    .toSorted((a, b) => compare(a.task, b.task) || a.at - b.at)
    .map(({ at }) => at)
}

/** Who has no place comes last: then all others can have theirs. */
const presentOrder = (problem: Problem): number[] => orderBy(problem, (a, b) => placeIn(a) - placeIn(b))

const placeIn = ({ present }: Task): number => (present === -1 ? Number.MAX_SAFE_INTEGER : present)

function seedOrders(problem: Problem, { bigNodes }: SearchPolicy): (readonly number[])[] {
  const isBig = (at: number): boolean => (problem.tasks[at]?.options[0]?.nodes ?? 0) >= bigNodes
  const served = problem.tasks.map((_, at) => at)
  const bigOnes = served.filter(isBig)
  return [byLength, byWork].flatMap((compare) => {
    const order = orderBy(problem, compare)
    return [order, [...bigOnes, ...order.filter((at) => !isBig(at))]]
  })
}

/** Whole numbers from 0 to below `bound`, the same for the same seed on any engine. */
function chanceFrom(seed: number): (bound: number) => number {
  let state = seed | 0
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    // Its upper bits: the lower ones of such a sequence repeat soon.
    return (state >>> 8) % bound
  }
}
