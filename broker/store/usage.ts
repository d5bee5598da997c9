/** Hours that are counted: meters that run, spans that have ended, corrections; and months that are settled. */
import { type RawBuilder, sql } from 'kysely'
import type { EpochMs } from '../../shared/time.ts'
import type { Sight } from './allocations.ts'
import type { UsageIntervalRow, UsagePeriodRow } from './changes.ts'
import type { Queries, Transaction } from './database.ts'
import { insertRows } from './rows.ts'
import type { StoredLine } from './schema.ts'

export const meterKey = ({ allocationId, kind }: Pick<UsageIntervalRow, 'allocationId' | 'kind'>): string =>
  `${allocationId}/${kind}`

/** Those of these allocations that run, by `meterKey`. */
export async function openMeters(
  trx: Transaction,
  allocationIds: readonly string[],
): Promise<ReadonlyMap<string, UsageIntervalRow>> {
  const rows = await trx
    .selectFrom('usageIntervals')
    .selectAll()
    .where('toAt', 'is', null)
    .where('allocationId', 'in', allocationIds)
    .execute()
  return new Map(rows.map((row) => [meterKey(row), row]))
}

/** The one change that a row of usage ever sees. */
export async function endMeter(trx: Transaction, id: string, at: EpochMs): Promise<void> {
  await trx.updateTable('usageIntervals').set({ toAt: at }).where('id', '=', id).where('toAt', 'is', null).execute()
}

export const startMeters = (trx: Transaction, rows: readonly UsageIntervalRow[]): Promise<void> =>
  insertRows(trx, 'usage_intervals', rows)

/** What usage can be grouped by. `day` counts days since 1970; `entry` tells usage from corrections. */
const COLUMNS = {
  organization: sql`organization_id`,
  organizationType: sql`organization_type`,
  program: sql`program`,
  provider: sql`provider_id`,
  cluster: sql`cluster_id`,
  approval: sql`approval_id`,
  share: sql`share`,
  day: sql`day`,
  entry: sql`case when booked_at is null then 'usage' else 'correction' end`,
} as const
export type UsageColumn = keyof typeof COLUMNS

export interface UsageSums {
  /** In node-ms, GPU-ms, and thousandths of an H200's ms: whole numbers as texts. */
  readonly reservedNodeMs: string
  readonly activeNodeMs: string
  readonly activeGpuMs: string
  readonly fp8GpuThousandthMs: string
}

export type UsageSumRow = UsageSums & Readonly<Partial<Record<UsageColumn, string | null>>>

export interface UsageQuestion {
  readonly from: EpochMs
  readonly to: EpochMs
  /** Meters that run have counted until then. */
  readonly now: EpochMs
  readonly groupBy: readonly UsageColumn[]
  readonly sight: Sight
  readonly limit: number
}

/**
 * Spans are cut to `[from, to)`; in a time to come nothing has run yet. A correction counts whole at the instant it was
 * booked, so that a month adds up to its settlement whenever it is asked for.
 */
export async function sumUsage(
  db: Queries,
  { from, to, now, groupBy, sight, limit }: UsageQuestion,
): Promise<readonly UsageSumRow[]> {
  const until = Math.min(to, now)
  const visible = sql`(${sight.organizationId}::text is null or organization_id = ${sight.organizationId})
    and (${sight.providerId}::text is null or provider_id = ${sight.providerId})`
  const groups = groupBy.map((column, index) => ({ column, alias: sql.ref(`g${index}`) }))
  const chosen = groups.map(({ column, alias }) => sql`(${COLUMNS[column]})::text as ${alias}, `)
  const keys = groups.map(({ alias }) => alias)
  const { rows } = await sql<UsageSums & Record<string, string | null>>`
    with spans as (
      select *, greatest(from_at, ${from}::bigint) as begins, least(coalesce(to_at, ${until}::bigint), ${until}::bigint) as ends
      from usage_intervals
      where booked_at is null and from_at < ${until} and (to_at is null or to_at > ${from})
        and ${until}::bigint > ${from}::bigint and ${visible}
      union all
      select *, from_at, to_at from usage_intervals where booked_at >= ${from} and booked_at < ${to} and ${visible}
    ),
    parts as (${groupBy.includes('day') ? BY_DAY : sql`select *, ends - begins as length_ms from spans`})
    select ${sql.join(chosen, sql``)}
      coalesce(sum(nodes * length_ms) filter (where kind = 'reserved'), 0)::text as "reservedNodeMs",
      coalesce(sum(nodes * length_ms) filter (where kind = 'active'), 0)::text as "activeNodeMs",
      coalesce(sum(nodes * length_ms * gpus_per_node) filter (where kind = 'active'), 0)::text as "activeGpuMs",
      coalesce(sum((nodes * length_ms)::numeric * gpus_per_node * fp8_h200_thousandths) filter (where kind = 'active'), 0)::text
        as "fp8GpuThousandthMs"
    from parts
    ${keys.length === 0 ? sql`` : sql`group by ${sql.join(keys)} order by ${sql.join(keys)}`}
    limit ${limit}`.execute(db)
  return rows.map((row) => ({
    ...row,
    ...Object.fromEntries(groupBy.map((column, index) => [column, row[`g${index}`] ?? null])),
  }))
}

/** Each span as its days; a correction belongs to the day it was booked on. */
const BY_DAY: RawBuilder<unknown> = sql`
  select spans.*, days.day,
    case when booked_at is null then least(ends, (days.day + 1) * 86400000) - greatest(begins, days.day * 86400000)
      else ends - begins end as length_ms
  from spans cross join lateral generate_series(
    coalesce(booked_at, begins) / 86400000, coalesce(booked_at, ends - 1) / 86400000) as days (day)`

export async function findPeriod(db: Queries, period: string): Promise<UsagePeriodRow | null> {
  const row = await db.selectFrom('usagePeriods').selectAll().where('period', '=', period).executeTakeFirst()
  return row ?? null
}

/** More than there are programmes, organisations and operators together by far: a bound, not a page. */
const MAX_LINES = 100_000

/** What a month comes to. Each organisation has lines of its own: callers see theirs. */
export async function settlementLines(
  db: Queries,
  question: Pick<UsageQuestion, 'from' | 'to' | 'now'>,
): Promise<readonly StoredLine[]> {
  const rows = await sumUsage(db, {
    ...question,
    groupBy: ['provider', 'program', 'share', 'organization', 'entry'],
    sight: { organizationId: null, providerId: null },
    limit: MAX_LINES + 1,
  })
  if (rows.length > MAX_LINES) throw new Error(`a month has more than ${MAX_LINES} lines`)
  return rows.map(({ reservedNodeMs, activeNodeMs, activeGpuMs, fp8GpuThousandthMs, ...row }) => ({
    provider: row.provider ?? '',
    program: row.program ?? '',
    share: row.share === 'operator' ? 'operator' : 'government',
    organization: row.organization ?? '',
    entry: row.entry === 'correction' ? 'correction' : 'usage',
    reservedNodeMs,
    activeNodeMs,
    activeGpuMs,
    fp8GpuThousandthMs,
  }))
}
