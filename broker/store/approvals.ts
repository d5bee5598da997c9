/** Reading approvals: one, or a page. */
import type { Selectable } from 'kysely'
import type { Queries } from './database.ts'
import type { ApprovalTable } from './schema.ts'

type Row = Selectable<ApprovalTable>

export async function findApproval(db: Queries, id: string, organizationId: string | null): Promise<Row | null> {
  let query = db.selectFrom('approvals').selectAll().where('id', '=', id)
  if (organizationId !== null) query = query.where('organizationId', '=', organizationId)
  return (await query.executeTakeFirst()) ?? null
}

/** Newest first. @param after the sequence of the last one seen; null for the first page */
export async function pageOfApprovals(
  db: Queries,
  { organizationId, after, limit }: { organizationId: string | null; after: number | null; limit: number },
): Promise<readonly Row[]> {
  let query = db.selectFrom('approvals').selectAll().orderBy('sequence', 'desc').limit(limit)
  if (organizationId !== null) query = query.where('organizationId', '=', organizationId)
  if (after !== null) query = query.where('sequence', '<', after)
  return query.execute()
}
