/** Levels over time from plain lists of intervals, for the figures of a replay. */
import type { EpochMs, Interval } from '../../shared/time.ts'

export interface Held extends Interval {
  readonly nodes: number
}

export interface Step extends Interval {
  readonly held: number
}

/**
 * How many nodes are held when, without a gap, within a span.
 *
 * @param cuts instants at which a step ends though nothing changes
 */
export function stepsOf(held: readonly Held[], cuts: readonly EpochMs[], span: Interval): Step[] {
  const changes = [
    ...held.flatMap(({ start, end, nodes }) => [
      { at: start, by: nodes },
      { at: end, by: -nodes },
    ]),
    ...cuts.map((at) => ({ at, by: 0 })),
    { at: span.end, by: 0 },
  ].toSorted((a, b) => a.at - b.at)
  const steps: Step[] = []
  let from = span.start
  let level = 0
  for (const { at, by } of changes) {
    const to = Math.min(at, span.end)
    if (to > from) {
      steps.push({ start: from, end: to, held: level })
      from = to
    }
    level += by
  }
  return steps
}

export interface Fitting extends Interval {
  readonly fits: boolean
}

/** How long none of several lines of steps, each without a gap over the span, fits. */
export function timeWithoutFit(lines: readonly (readonly Fitting[])[], span: Interval): number {
  const fitting = lines.flat().filter(({ fits }) => fits)
  const covered = stepsOf(
    fitting.map(({ start, end }) => ({ start, end, nodes: 1 })),
    [],
    span,
  )
  return covered.reduce((sum, { start, end, held }) => sum + (held === 0 ? end - start : 0), 0)
}
