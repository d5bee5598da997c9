/** Decisions in the order in which they were made. */
import { sql } from 'kysely'
import type { EpochMs } from '../../shared/time.ts'
import type { DecisionRow } from './changes.ts'
import type { Queries } from './database.ts'

export interface DecisionPage {
  /** Made at or after. */
  readonly from: EpochMs | null
  /** Made before. */
  readonly to: EpochMs | null
  /** Sequence of the last one before the page. */
  readonly after: number | null
  readonly limit: number
}

export function pageOfDecisions(
  db: Queries,
  { from, to, after, limit }: DecisionPage,
): Promise<readonly DecisionRow[]> {
  let query = db.selectFrom('decisions').selectAll()
  // Decisions are numbered in the order of time, so what came before is passed by number: the index finds that at once,
  // where a condition on times alone would be looked for along the whole order.
  if (from !== null) query = query.where('at', '>=', from).where('sequence', '>=', firstSince(from))
  if (to !== null) query = query.where('at', '<', to)
  if (after !== null) query = query.where('sequence', '>', after)
  return query.orderBy('sequence').limit(limit).execute()
}

/** Beyond the last one: none. */
const firstSince = (at: EpochMs) =>
  sql<number>`coalesce((select sequence from decisions where at >= ${at} order by at, sequence limit 1), 9007199254740991)`

export async function findDecision(db: Queries, id: string): Promise<DecisionRow | null> {
  const row = await db.selectFrom('decisions').selectAll().where('id', '=', id).executeTakeFirst()
  return row ?? null
}
