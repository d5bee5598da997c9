/** Decisions in the order in which they were made. */
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
  if (from !== null) query = query.where('at', '>=', from)
  if (to !== null) query = query.where('at', '<', to)
  if (after !== null) query = query.where('sequence', '>', after)
  return query.orderBy('sequence').limit(limit).execute()
}

export async function findDecision(db: Queries, id: string): Promise<DecisionRow | null> {
  const row = await db.selectFrom('decisions').selectAll().where('id', '=', id).executeTakeFirst()
  return row ?? null
}
