/** `usage`, `usage close`, `settlement`: hours by whatever they are looked at, and months that are settled. */
import { type Command, Option } from 'commander'
import { csv } from '../../../shared/csv.ts'
import { type Settlement, type UsageItem, type UsageReport, USAGE_GROUPS, UsageFigures } from '../../../shared/usage.ts'
import type { Io } from '../io.ts'
import { type Column, table } from '../screen/table.ts'
import { instant } from '../screen/words.ts'
import type { CommandContext, Run } from './command-context.ts'
import { instantOption, repeated } from './options.ts'
import { defined } from './placement-options.ts'

interface UsageOptions {
  readonly from?: string
  readonly to?: string
  readonly by?: readonly string[]
  readonly csv?: boolean
}

const FIGURES = Object.keys(UsageFigures.shape) as (keyof UsageFigures)[] // its own names
const csvOption = () => new Option('--csv', 'answer as a table of comma-separated values').conflicts('json')

export const describeUsage = (command: Command, { now }: Io): Command =>
  command
    .description('hours reserved and active')
    .option('--from <time>', 'default: the beginning of this month', instantOption(now))
    .option('--to <time>', 'default: now', instantOption(now))
    .option('--by <groups>', `up to two of ${USAGE_GROUPS.join(', ')}`, repeated)
    .addOption(csvOption())

export const showUsage: Run<UsageOptions> = async ({ client, options, answer, io }) => {
  const { from, to, by } = options
  const report = await client.getUsage(defined({ from, to, groupBy: by?.join(',') }))
  const columns = [...report.groupBy, ...FIGURES]
  const rows = report.groupBy.length === 0 ? [report.total] : report.items
  if (options.csv === true) io.terminal.write(csv(columns, rows))
  else answer(report, usageText)
  return undefined
}

const hours = (value: number): string => value.toFixed(2)

const FIGURE_COLUMNS: readonly Column<UsageFigures>[] = [
  { head: 'node-h reserved', value: (one) => hours(one.nodeHoursReserved) },
  { head: 'node-h active', value: (one) => hours(one.nodeHoursActive) },
  { head: 'GPU-h active', value: (one) => hours(one.gpuHoursActive) },
  { head: 'FP8 H200-h', value: (one) => hours(one.fp8H200EquivalentHours) },
]

function usageText({ from, to, groupBy, items, total }: UsageReport): string {
  const groups = groupBy.map((group): Column<UsageItem> => ({ head: group, value: (one) => one[group] ?? '-' }))
  const rows = groupBy.length === 0 ? [total] : items
  const range = `${instant(from)} to ${instant(to)} (UTC)\n`
  return rows.length === 0 ? `${range}Nothing was used.\n` : range + table([...groups, ...FIGURE_COLUMNS], rows)
}

export const describeClose = (command: Command): Command =>
  command
    .description('close a month that is over: its figures stay, what turns out later counts in the month it turns out')
    .argument('<month>', 'such as 2026-12')

export const closeMonth: Run<object> = async ({ client, answer }, month = '') => {
  answer(
    await client.closeUsagePeriod(month),
    (closed) => `${closed.period} is closed, since ${instant(closed.closedAt)} UTC.\n`,
  )
  return undefined
}

export const describeSettlement = (command: Command): Command =>
  command
    .description('what a month comes to, per operator and program')
    .argument('<month>', 'such as 2026-12')
    .addOption(csvOption())

export const showSettlement: Run<{ readonly csv?: boolean }> = async (context, month = '') => {
  const settlement = await context.client.getSettlement(month)
  if (context.options.csv === true) writeCsv(context, settlement)
  else context.answer(settlement, settlementText)
  return undefined
}

const writeCsv = ({ io }: Pick<CommandContext<object>, 'io'>, { items }: Settlement): void =>
  io.terminal.write(csv(['provider', 'program', 'share', 'entry', ...FIGURES], items))

function settlementText({ period, status, closedAt, items }: Settlement): string {
  const head = status === 'closed' ? `${period}, closed ${instant(closedAt ?? '')} UTC\n` : `${period}, open: so far\n`
  if (items.length === 0) return `${head}Nothing was used.\n`
  return (
    head +
    table(
      [
        { head: 'operator', value: (one) => one.provider },
        { head: 'program', value: (one) => one.program },
        { head: 'share', value: (one) => one.share },
        { head: 'entry', value: (one) => one.entry },
        ...FIGURE_COLUMNS,
      ],
      items,
    )
  )
}
