/** Reading approvals: one, or a page. */
import type { ExpressionBuilder, Selectable } from 'kysely'
import type { Sight } from './allocations.ts'
import type { Queries } from './database.ts'
import type { ApprovalTable, Tables } from './schema.ts'

type Row = Selectable<ApprovalTable>

export async function findApproval(db: Queries, id: string, sight: Sight): Promise<Row | null> {
  const row = await db.selectFrom('approvals').selectAll().where('id', '=', id).where(visible(sight)).executeTakeFirst()
  return row ?? null
}

/** Of one organisation; under which something was placed at one provider; or all. */
const visible =
  ({ organizationId, providerId }: Sight) =>
  (where: ExpressionBuilder<Tables, 'approvals'>) =>
    where.and([
      ...(organizationId === null ? [] : [where('organizationId', '=', organizationId)]),
      ...(providerId === null
        ? []
        : [
            where.exists(
              where
                .selectFrom('allocations')
                .select('allocations.id')
                .whereRef('allocations.approvalId', '=', 'approvals.id')
                .where('allocations.providerId', '=', providerId),
            ),
          ]),
    ])

/** Newest first. @param after the sequence of the last one seen; null for the first page */
export async function pageOfApprovals(
  db: Queries,
  { sight, after, limit }: { readonly sight: Sight; readonly after: number | null; readonly limit: number },
): Promise<readonly Row[]> {
  let query = db.selectFrom('approvals').selectAll().where(visible(sight)).orderBy('sequence', 'desc').limit(limit)
  if (after !== null) query = query.where('sequence', '<', after)
  return query.execute()
}
