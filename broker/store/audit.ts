/** The audit trail, read. It is written under the calendar's lock, with the head that its last hash stands in. */
import type { AuditChain } from '../../shared/audit.ts'
import { sql } from 'kysely'
import type { EpochMs } from '../../shared/time.ts'
import type { Sight } from './allocations.ts'
import type { AuditRow } from './changes.ts'
import type { Queries } from './database.ts'

/** Members left out do not filter. */
export interface AuditFilter {
  readonly from?: EpochMs
  /** Exclusive. */
  readonly to?: EpochMs
  readonly actor?: string
  readonly action?: string
}

/** In order. @param after exclusive */
export async function pageOfAudit(
  db: Queries,
  {
    filter: { from, to, actor, action },
    sight,
    after,
    limit,
  }: {
    readonly filter: AuditFilter
    readonly sight: Sight
    readonly after: number
    readonly limit: number
  },
): Promise<readonly AuditRow[]> {
  let query = db.selectFrom('audit').selectAll().where('sequence', '>', after).orderBy('sequence').limit(limit)
  if (from !== undefined) query = query.where('sequence', '>=', firstSince(from))

  if (to !== undefined) query = query.where('sequence', '<', firstSince(to))
  if (actor !== undefined) query = query.where('actor', '=', actor)
  if (action !== undefined) query = query.where('action', '=', action)
  if (sight.organizationId !== null) query = query.where('organizationId', '=', sight.organizationId)
  if (sight.providerId !== null) query = query.where('providerId', '=', sight.providerId)
  return query.execute()
}

/**
 * The trail is in the order of time, so a time is a number in it: one that the index finds, where a condition on times
 * would be looked for along the whole order. Beyond the last one: none.
 */
const firstSince = (at: EpochMs) =>
  sql<number>`coalesce((select min(sequence) from audit where at >= ${at}), 9007199254740991)`

export async function auditEnds(db: Queries): Promise<AuditChain> {
  const head = await db.selectFrom('calendarHead').select(['auditSequence', 'auditHash']).executeTakeFirstOrThrow()
  const oldest = await db
    .selectFrom('audit')
    .select(['sequence', 'previousHash'])
    .orderBy('sequence')
    .limit(1)
    .executeTakeFirst()
  return { oldest: oldest ?? null, last: { sequence: head.auditSequence, hash: head.auditHash } }
}
