/** How a run is summed up, for people and for programs. */

export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export interface Outcome extends Counts {
  readonly name: string
  readonly durationMs: number
  /** What is wrong beside failed tests, in one line; null when nothing is. */
  readonly problem: string | null
  /** All that it printed; empty when it was shown already. */
  readonly output: string
}

export const NO_COUNTS: Counts = { passed: 0, failed: 0, skipped: 0 }

export const addCounts = (a: Counts, b: Counts): Counts => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
})

/** The last line of a run: `12 passed, 0 failed`, and `, 3 skipped` when some were. */
export function summaryLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

const SUMMARY = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/

/** The counts that an output ends with; null when its last line is not a summary. */
export function readSummary(output: string): Counts | null {
  const match = SUMMARY.exec(output.trimEnd().split('\n').at(-1) ?? '')
  if (match === null) return null
  return { passed: Number(match[1]), failed: Number(match[2]), skipped: Number(match[3] ?? 0) }
}

/** A part's line; after a failure, all that it printed follows. */
export function partLines({ name, passed, failed, skipped, durationMs, problem, output }: Outcome): string {
  const line = [
    failed === 0 ? 'ok  ' : 'FAIL',
    name.padEnd(22),
    (passed + failed + skipped === 0 ? '' : summaryLine({ passed, failed, skipped })).padEnd(32),
    `${(durationMs / 1_000).toFixed(1)} s`,
    ...(problem === null ? [] : [`(${problem})`]),
  ].join('  ')
  return failed === 0 || output === '' ? line : `${line}\n${indent(output.trimEnd())}`
}

const indent = (text: string): string =>
  text
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n')
