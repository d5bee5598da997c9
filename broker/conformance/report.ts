/** What a run came to, for programs and for people: one shape, written as JSON, JUnit XML or a page of HTML. */
import type { CaseResult } from './run.ts'

/** Raised when a case comes, goes, or judges otherwise. */
export const KIT_VERSION = '1.2.0'

export interface Report {
  readonly kitVersion: string
  readonly contractVersion: number
  readonly adapter: {
    readonly path: string
    readonly version: string | null
    readonly providerId: string
    readonly clusterId: string
  }
  /** RFC 3339. */
  readonly startedAt: string
  readonly durationMs: number
  /** Whether the run went through all cases that were asked for. */
  readonly complete: boolean
  readonly counts: Readonly<Record<CaseResult['outcome'], number>>
  readonly cases: readonly CaseResult[]
}

export const countsOf = (cases: readonly CaseResult[]): Report['counts'] => ({
  passed: cases.filter(({ outcome }) => outcome === 'passed').length,
  failed: cases.filter(({ outcome }) => outcome === 'failed').length,
  skipped: cases.filter(({ outcome }) => outcome === 'skipped').length,
})

export const leftBehindIn = (cases: readonly CaseResult[]): readonly string[] =>
  cases.flatMap(({ id, leftBehind }) => leftBehind.map((what) => `${id}: ${what}`))

/** All cases were tried, none failed, and nothing is left behind. */
export const hasPassed = ({ complete, counts, cases }: Report): boolean =>
  complete && counts.failed === 0 && counts.passed > 0 && leftBehindIn(cases).length === 0

/** JUnit XML, as continuous integration reads it. */
export function toJunit(report: Report): string {
  const { counts, cases, adapter, durationMs, startedAt } = report
  const suite = [
    `name="provider contract ${report.contractVersion}, ${escaped(adapter.providerId)}"`,
    `tests="${cases.length}" failures="${counts.failed}" errors="${leftBehindIn(cases).length}" skipped="${counts.skipped}"`,
    `time="${seconds(durationMs)}" timestamp="${startedAt}"`,
  ].join(' ')
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites><testsuite ${suite}>`,
    ...cases.map(junitCase),
    '</testsuite></testsuites>',
    '',
  ].join('\n')
}

function junitCase({ id, rule, says, outcome, reason, leftBehind, durationMs }: CaseResult): string {
  const failure =
    outcome === 'failed' ? `<failure message="${escaped(reason ?? '')}">The contract: ${escaped(says)}</failure>` : ''
  const skipped = outcome === 'skipped' ? `<skipped message="${escaped(reason ?? '')}"/>` : ''
  const left = leftBehind.map((what) => `<error message="left behind: ${escaped(what)}"/>`).join('')
  const name = escaped(`${id}: ${rule}`)
  return `<testcase classname="conformance" name="${name}" time="${seconds(durationMs)}">${failure}${skipped}${left}</testcase>`
}

const COLOUR: Readonly<Record<CaseResult['outcome'], string>> = {
  passed: '#1a7f37',
  failed: '#b3261e',
  skipped: '#6b6b6b',
}

/** One page without anything from elsewhere. */
export function toHtml(report: Report): string {
  const { adapter, counts, contractVersion, kitVersion } = report
  const verdict = hasPassed(report) ? 'passes' : 'does not pass'
  const version = adapter.version === null ? '' : ` ${adapter.version}`
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Conformance of ${escaped(adapter.providerId)}</title>
<style>body{font:16px/1.5 sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;border-bottom:1px solid #ddd;padding:.4rem}.says{color:#555}</style>
<h1>${escaped(adapter.providerId)}${escaped(version)} ${verdict}</h1>
<p>Provider contract ${contractVersion}, kit ${kitVersion}, cluster ${escaped(adapter.clusterId)}, ${report.startedAt},
${seconds(report.durationMs)} s: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped${report.complete ? '' : '; interrupted'}.</p>
<table><tr><th>Case<th>Outcome<th>Rule<th>ms</tr>
${report.cases.map(htmlRow).join('\n')}
</table></html>
`
}

function htmlRow({ id, rule, says, outcome, reason, leftBehind, durationMs }: CaseResult): string {
  const why = [reason, ...leftBehind.map((what) => `left behind: ${what}`)].filter((text) => text !== null)
  const details = why.map((text) => `<br>${escaped(text)}`).join('')
  return `<tr><td><code>${escaped(id)}</code><td style="color:${COLOUR[outcome]}">${outcome}<td>${escaped(rule)}<br><span class="says">${escaped(says)}</span>${details}<td>${durationMs}</tr>`
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(3)

/** Also without the control characters that XML cannot hold. */
const escaped = (text: string): string =>
  text
    // oxlint-disable-next-line no-control-regex -- they are what is taken out
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
