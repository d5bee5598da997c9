/**
 * The best order that so many tries find: some orders that are good by themselves, then small moves of one task to another
 * place in the order. Whoever would start past its promise is moved to the front, and the order is tried again. What is
 * found follows from the problem, the policy and the seed; how long it takes changes nothing.
 */
import type { SearchPolicy } from '../placement/policy.ts'
import { durationOf } from '../placement/request.ts'
import type { Problem, Task } from './problem.ts'
import { deskFor, isLess, slotsFor, tryOrder, type Desk, type Slots, type Worth } from './try-order.ts'

export interface Found {
  readonly slots: Slots
  readonly worth: Worth
}

export interface SearchOptions {
  readonly policy: SearchPolicy
  readonly seed: number
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
  const { policy, present } = options
  const desk = deskFor(problem)
  const best: Best = { worth: present, order: null, slots: slotsFor(problem.tasks.length) }
  for (const order of seedOrders(problem, policy)) {
    if (desk.tried >= policy.placements) break
    yield* tryRepairing(desk, order, policy, best)
  }
  if (best.order === null) yield* tryRepairing(desk, presentOrder(problem), policy, best)
  if (best.order === null && !problem.stays) yield* tryAnyhow(desk, presentOrder(problem), best)
  yield* improve(desk, options, best)
  return { found: best.order === null ? null : { slots: best.slots, worth: best.worth }, tried: desk.tried }
}

function keep(best: Best, desk: Desk, order: readonly number[], worth: Worth): void {
  best.worth = worth
  best.order = order
  best.slots.slot.set(desk.slots.slot)
  best.slots.option.set(desk.slots.option)
}

/** Who is late goes to the front; who is late even there may be late, where there is no present plan to go back to. */
function* tryRepairing(
  desk: Desk,
  first: readonly number[],
  policy: SearchPolicy,
  best: Best,
): Generator<undefined, void> {
  const mayBeLate = new Set<number>()
  const moved = new Set<number>()
  let order = first
  for (let repairs = 0; repairs <= policy.repairs; repairs += 1) {
    const outcome = tryOrder(desk, { order, mayBeLate, limit: best.worth })
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
  const outcome = tryOrder(desk, { order, mayBeLate: new Set(order), limit: best.worth })
  yield
  if (outcome.kind === 'complete') keep(best, desk, order, outcome.worth)
}

/** Moves of one task, as chance with a seed has it, for as long as there are tries left. */
function* improve(desk: Desk, { policy, seed }: SearchOptions, best: Best): Generator<undefined, void> {
  const count = desk.problem.tasks.length
  if (best.order === null || count < 2) return
  let order: readonly number[] = best.order
  const chance = chanceFrom(seed)
  const mayBeLate = new Set(
    order.filter((task) => (best.slots.slot[task] ?? 0) > (desk.problem.tasks[task]?.latest ?? 0)),
  )
  for (let failed = 0; desk.tried < policy.placements && failed < policy.patience * count; ) {
    const [from, to] = [chance(count), chance(count)]
    if (from === to) continue
    const moved: readonly number[] = order.toSpliced(from, 1).toSpliced(to, 0, order[from] as number) // inside the order
    const outcome = tryOrder(desk, { order: moved, mayBeLate, limit: best.worth })
    yield
    failed += 1
    if (outcome.kind !== 'complete' || !isLess(outcome.worth, best.worth)) continue
    keep(best, desk, moved, outcome.worth)
    order = moved
    failed = 0
  }
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

const presentOrder = (problem: Problem): number[] => orderBy(problem, (a, b) => a.present - b.present)

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
