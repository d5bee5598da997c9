/** Usage as callers see it: exact sums of milliseconds become hours here, and only here. */
import type { UsageFigures, UsageGroup, UsageItem, UsageReport } from '../../shared/usage.ts'
import { invalidRequest } from '../../shared/refusal.ts'
import { DAY_MS, HOUR_MS, toIso } from '../../shared/time.ts'
import { type UsageSumRow, type UsageSums, sumUsage } from '../store/usage.ts'
import type { App } from './app.ts'
import type { Caller, Range } from './command.ts'

export interface UsageQuery extends Range {
  readonly groupBy: readonly UsageGroup[]
}

/** A report is one answer: whoever needs more groups asks for less time. */
const MAX_GROUPS = 10_000

/** @throws Refusal `invalid-request` where there are more groups than one report holds */
export async function readUsage(app: App, caller: Caller, { from, to, groupBy }: UsageQuery): Promise<UsageReport> {
  const question = { from, to, now: app.now(), sight: caller }
  const rows = await sumUsage(app.database.queries, { ...question, groupBy, limit: MAX_GROUPS + 1 })
  if (rows.length > MAX_GROUPS) {
    const detail = `must make at most ${MAX_GROUPS} groups: ask for less time, or group by less`
    throw invalidRequest([{ pointer: '/groupBy', detail }])
  }
  return {
    from: toIso(from),
    to: toIso(to),
    groupBy: [...groupBy],
    items: groupBy.length === 0 ? [] : rows.map((row) => ({ ...groupView(row, groupBy), ...figuresOf(row) })),
    total: figuresOf(totalOf(rows)),
  }
}

const groupView = (row: UsageSumRow, groupBy: readonly UsageGroup[]): Partial<UsageItem> =>
  Object.fromEntries(groupBy.map((group) => [group, group === 'day' ? dayView(row.day) : (row[group] ?? null)]))

const dayView = (day: string | null | undefined): string => toIso(Number(day) * DAY_MS).slice(0, 10)

export function totalOf(rows: readonly UsageSums[]): UsageSums {
  const sum = (of: (row: UsageSums) => string): string =>
    String(rows.reduce((total, row) => total + BigInt(of(row)), 0n))
  return {
    reservedNodeMs: sum((row) => row.reservedNodeMs),
    activeNodeMs: sum((row) => row.activeNodeMs),
    activeGpuMs: sum((row) => row.activeGpuMs),
    fp8GpuThousandthMs: sum((row) => row.fp8GpuThousandthMs),
  }
}

export const figuresOf = (sums: UsageSums): UsageFigures => ({
  nodeHoursReserved: hoursOf(sums.reservedNodeMs, HOUR_MS),
  nodeHoursActive: hoursOf(sums.activeNodeMs, HOUR_MS),
  gpuHoursActive: hoursOf(sums.activeGpuMs, HOUR_MS),
  fp8H200EquivalentHours: hoursOf(sums.fp8GpuThousandthMs, HOUR_MS * 1_000),
})

const DECIMALS = 1_000_000

/** Rounded half away from zero, in whole numbers until the very end. */
function hoursOf(amount: string, perHour: number): number {
  const whole = BigInt(amount)
  const divisor = BigInt(perHour)
  const half = whole < 0n ? -divisor : divisor
  return Number((whole * BigInt(DECIMALS) * 2n + half) / (divisor * 2n)) / DECIMALS
}
