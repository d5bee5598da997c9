/** `conformance`: tries somebody's adapter against the provider contract, and says case by case what it found. */
import { writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { PROVIDER_CONTRACT_VERSION } from '../../../shared/provider.ts'
import { toIso } from '../../../shared/time.ts'
import { CASES } from '../../conformance/cases/all.ts'
import { KitError, readKitConfig } from '../../conformance/config.ts'
import type { ContractCase } from '../../conformance/contract-case.ts'
import { ControlError } from '../../conformance/control.ts'
import { loadAdapter } from '../../conformance/load-adapter.ts'
import {
  KIT_VERSION,
  type Report,
  countsOf,
  hasPassed,
  leftBehindIn,
  toHtml,
  toJunit,
} from '../../conformance/report.ts'
import { type CaseResult, runCases } from '../../conformance/run.ts'
import { openTarget } from '../../conformance/target.ts'
import { EXIT } from '../failure.ts'
import { type Io, UsageError } from '../io.ts'
import { paintFor } from '../screen/terminal.ts'
import type { Run } from './command-context.ts'
import { repeated } from './options.ts'

interface ConformanceOptions {
  readonly adapter?: string
  readonly config?: string
  readonly only?: readonly string[]
  readonly list?: boolean
  readonly junit?: string
  readonly report?: string
}

export const describeConformance = (command: Command, { t }: Io): Command =>
  command
    .description(t('try an adapter against the provider contract (docs/adding-a-provider.md)'))
    .option('--adapter <file>', t('the module that exports createProvider(kind, rawSettings, context)'))
    .option('--config <file>', t('its settings and what the kit must know, as JSON'))
    .option('--only <cases>', t('cases by id, or by the beginning of it; several times, or with commas'), repeated)
    .option('--list', t('print the cases, one a line, and try none'))
    .option('--junit <file>', t('write the results as JUnit XML'))
    .option('--report <file>', t('write the report, by its ending as .html or .json'))

export const conformance: Run<ConformanceOptions> = async ({ io, options, answer }) => {
  const cases = chosen(options.only)
  if (options.list === true) {
    const listed = cases.map(({ id, rule, says, needs }) => ({ id, rule, says, needs }))
    answer(listed, (all) => all.map(listLine).join(''))
    return EXIT.ok
  }
  try {
    const report = await tryAdapter(cases, options, io)
    answer(report, summary)
    await writeReports(report, options)
    if (io.signal.aborted) return EXIT.interrupted
    return hasPassed(report) ? EXIT.ok : EXIT.refused
  } catch (error) {
    if (error instanceof KitError) throw new UsageError(error.message)
    if (!(error instanceof ControlError)) throw error
    io.terminal.writeError(`gpu-broker: ${error.message}\n`)
    return EXIT.unreachable
  }
}

/** @throws UsageError for one that names no case */
function chosen(only: readonly string[] | undefined): readonly ContractCase[] {
  if (only === undefined) return CASES
  const stranger = only.find((wanted) => !CASES.some(({ id }) => id.startsWith(wanted)))
  if (stranger !== undefined) throw new UsageError(`no case begins with "${stranger}"; --list shows them`)
  return CASES.filter(({ id }) => only.some((wanted) => id.startsWith(wanted)))
}

async function tryAdapter(cases: readonly ContractCase[], options: ConformanceOptions, io: Io): Promise<Report> {
  const { adapter: path, config: configPath } = options
  if (path === undefined || configPath === undefined) throw new UsageError('it needs --adapter and --config')
  if (options.report !== undefined && !/\.(html|json)$/.test(options.report)) {
    throw new UsageError('--report must end in .html or .json')
  }
  const config = readKitConfig(await readConfig(configPath, io), io.env)
  const adapter = await loadAdapter(path)
  const { target, close } = await openTarget(config, adapter)
  try {
    const startedAt = Date.now()
    const results = await runCases({ cases, target, signal: io.signal, onCase: follow(io, cases.length) })
    return {
      kitVersion: KIT_VERSION,
      contractVersion: PROVIDER_CONTRACT_VERSION,
      adapter: { path, version: adapter.version, providerId: target.provider.id, clusterId: target.clusterId },
      startedAt: toIso(startedAt),
      durationMs: Date.now() - startedAt,
      complete: results.length === cases.length,
      counts: countsOf(results),
      cases: results,
    }
  } finally {
    close()
  }
}

async function readConfig(path: string, io: Io): Promise<string> {
  try {
    return await io.readText(path)
  } catch (error) {
    throw new UsageError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`)
  }
}

/** One line a case, on standard error: what was asked for is the report. In a terminal, the case at hand stands below. */
function follow({ terminal }: Io, total: number): (one: ContractCase, result: CaseResult | null) => void {
  const paint = paintFor(terminal)
  const colour = { passed: 'green', failed: 'red', skipped: 'yellow' } as const
  const wipe = terminal.isInteractive ? '\r\u001b[2K' : ''
  let done = 0
  return (one, result) => {
    if (result === null) {
      if (terminal.isInteractive) terminal.writeError(`${wipe}  ${done + 1}/${total}  ${one.id} …`)
      return
    }
    done += 1
    const { outcome, id, rule, reason, says, leftBehind, durationMs } = result
    const took = outcome === 'skipped' ? '' : ` (${durationMs} ms)`
    const lines = [`${wipe}${paint(colour[outcome], outcome.padEnd(7))}  ${id}: ${rule}${took}`]
    if (reason !== null) lines.push(...reason.split('\n').map((line) => `         ${line}`.trimEnd()))
    if (outcome === 'failed') lines.push(`         the contract: ${says}`)
    lines.push(...leftBehind.map((what) => `         left behind: ${what}`))
    terminal.writeError(`${lines.join('\n')}\n`)
  }
}

const listLine = ({ id, rule, needs }: Pick<ContractCase, 'id' | 'rule' | 'needs'>): string =>
  `${id}: ${rule}${needs.length === 0 ? '' : ` [needs ${needs.join(', ')}]`}\n`

function summary(report: Report): string {
  const { counts, adapter, contractVersion, kitVersion, complete, cases } = report
  const left = leftBehindIn(cases)
  return [
    `${adapter.providerId} at ${adapter.clusterId}, provider contract ${contractVersion}, kit ${kitVersion}: `,
    `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`,
    complete ? '' : ', interrupted',
    left.length === 0 ? '\n' : `; left behind:\n${left.map((what) => `  ${what}\n`).join('')}`,
  ].join('')
}

async function writeReports(report: Report, { junit, report: page }: ConformanceOptions): Promise<void> {
  if (junit !== undefined) await write(junit, toJunit(report))
  if (page === undefined) return
  await write(page, page.endsWith('.html') ? toHtml(report) : `${JSON.stringify(report, null, 2)}\n`)
}

async function write(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text)
  } catch (error) {
    throw new UsageError(`${path} cannot be written (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`)
  }
}
