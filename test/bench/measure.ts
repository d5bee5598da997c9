/** Timing for benchmarks: many single calls, their percentiles, and tables that a person reads. */
import { table } from '../../broker/cli/screen/table.ts'

export interface Timing {
  readonly p50Us: number
  readonly p99Us: number
  readonly worstUs: number
  readonly totalMs: number
}

/** Times each call by itself. @param call is handed 0, 1, 2, … */
export function timed(calls: number, call: (index: number) => void): Timing {
  const spent = new Float64Array(calls)
  for (let index = 0; index < calls; index += 1) {
    const startedAt = performance.now()
    call(index)
    spent[index] = performance.now() - startedAt
  }
  return timingOf(spent)
}

export function timingOf(spentMs: Float64Array): Timing {
  const sorted = spentMs.toSorted()
  const at = (share: number): number => (sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0) * 1_000
  return { p50Us: at(0.5), p99Us: at(0.99), worstUs: at(1), totalMs: spentMs.reduce((sum, ms) => sum + ms, 0) }
}

/** The middle one of several runs of the same thing, by its total. */
export function middleOf(runs: readonly Timing[]): Timing {
  const middle = runs.toSorted((a, b) => a.totalMs - b.totalMs)[runs.length >> 1]
  if (middle === undefined) throw new RangeError('there must be a run')
  return middle
}

export interface Line {
  readonly what: string
  readonly timing: Timing
  /** What is measured beside it in the same run, and how it compares; null for a floor itself. */
  readonly floor: Timing | null
  /** The number that design asks for, in words; empty where it asks for none. */
  readonly bar: string
}

export function printTable(lines: readonly Line[]): void {
  const us = (value: number): string => value.toFixed(1)
  const text = table<Line>(
    [
      { head: '', value: ({ what }) => what },
      { head: 'p50 µs', align: 'right', value: ({ timing }) => us(timing.p50Us) },
      { head: 'p99 µs', align: 'right', value: ({ timing }) => us(timing.p99Us) },
      { head: 'worst µs', align: 'right', value: ({ timing }) => us(timing.worstUs) },
      { head: 'total ms', align: 'right', value: ({ timing }) => timing.totalMs.toFixed(1) },
      {
        head: '× floor',
        align: 'right',
        value: ({ timing, floor }) => (floor === null ? 'floor' : (timing.totalMs / floor.totalMs).toFixed(1)),
      },
      { head: 'bar', value: ({ bar }) => bar },
    ],
    lines,
  )
  process.stdout.write(text)
}
