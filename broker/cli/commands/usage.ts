/** `usage`, `usage close`, `settlement`: hours by whatever they are looked at, and months that are settled. */
import type { Command } from 'commander'
import {
  type Settlement,
  type SettlementLine,
  type UsageItem,
  type UsageReport,
  USAGE_GROUPS,
  UsageFigures,
} from '../../../shared/usage.ts'
import type { Io } from '../io.ts'
import { instant } from '../screen/words.ts'
import type { Text } from '../text/text.ts'
import type { Run } from './command-context.ts'
import { type Column, tableIn } from './listing.ts'
import { instantOption, repeated } from './options.ts'
import { defined } from './placement-options.ts'

interface UsageOptions {
  readonly from?: string
  readonly to?: string
  readonly by?: readonly string[]
}

const FIGURES = Object.keys(UsageFigures.shape) as (keyof UsageFigures)[] // its own names

export const describeUsage = (command: Command, io: Io): Command =>
  command
    .description(io.t('hours reserved and active'))
    .option('--from <time>', io.t('default: the beginning of this month'), instantOption(io))
    .option('--to <time>', io.t('default: now'), instantOption(io))
    .option('--by <groups>', io.t('up to two of {groups}', { groups: USAGE_GROUPS.join(', ') }), repeated)

/** The columns of CSV are those of the API's own. */
export const showUsage: Run<UsageOptions> = async ({ client, options, answerSheet, t }) => {
  const { from, to, by } = options
  const report = await client.getUsage(defined({ from, to, groupBy: by?.join(',') }))
  const rows = report.groupBy.length === 0 ? [report.total] : report.items
  answerSheet(
    report,
    () => ({ columns: [...report.groupBy, ...FIGURES], rows }),
    (one) => usageText(one, t),
  )
  return undefined
}

const hours = (value: number): string => value.toFixed(2)

const FIGURE_COLUMNS: readonly Column<UsageFigures>[] = [
  { head: 'node-h reserved', align: 'right', value: (one) => hours(one.nodeHoursReserved) },
  { head: 'node-h active', align: 'right', value: (one) => hours(one.nodeHoursActive) },
  { head: 'GPU-h active', align: 'right', value: (one) => hours(one.gpuHoursActive) },
  { head: 'FP8 H200-h', align: 'right', value: (one) => hours(one.fp8H200EquivalentHours) },
]

function usageText({ from, to, groupBy, items, total }: UsageReport, t: Text): string {
  const groups = groupBy.map((group): Column<UsageItem> => ({ head: group, value: (one) => one[group] ?? '-' }))
  const rows = groupBy.length === 0 ? [total] : items
  const range = `${t('{from} to {to} (UTC)', { from: instant(from), to: instant(to) })}\n`
  return `${range}${rows.length === 0 ? `${t('Nothing was used.')}\n` : tableIn(t, [...groups, ...FIGURE_COLUMNS], rows)}`
}

export const describeClose = (command: Command, { t }: Io): Command =>
  command
    .description(
      t('close a month that is over: its figures stay, what turns out later counts in the month it turns out'),
    )
    .argument('<month>', t('such as 2026-12'))

export const closeMonth: Run<object> = async ({ client, answer, t }, month = '') => {
  answer(
    await client.closeUsagePeriod(month),
    ({ period, closedAt }) => `${t('{period} is closed, since {at} UTC.', { period, at: instant(closedAt) })}\n`,
  )
  return undefined
}

export const describeSettlement = (command: Command, { t }: Io): Command =>
  command.description(t('what a month comes to, per operator and program')).argument('<month>', t('such as 2026-12'))

export const showSettlement: Run<object> = async ({ client, answerSheet, t }, month = '') => {
  const settlement = await client.getSettlement(month)
  answerSheet(
    settlement,
    () => ({ columns: ['provider', 'program', 'share', 'entry', ...FIGURES], rows: settlement.items }),
    (one) => settlementText(one, t),
  )
  return undefined
}

const SETTLEMENT_COLUMNS: readonly Column<SettlementLine>[] = [
  { head: 'operator', value: (one) => one.provider },
  { head: 'program', value: (one) => one.program },
  { head: 'share', value: (one) => one.share },
  { head: 'entry', value: (one) => one.entry },
  ...FIGURE_COLUMNS,
]

function settlementText({ period, status, closedAt, items }: Settlement, t: Text): string {
  const head =
    status === 'closed'
      ? t('{period}, closed {at} UTC', { period, at: instant(closedAt ?? null) })
      : t('{period}, open: so far', { period })
  return `${head}\n${items.length === 0 ? `${t('Nothing was used.')}\n` : tableIn(t, SETTLEMENT_COLUMNS, items)}`
}
