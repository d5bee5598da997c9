/** The circuits of providers as all replicas see them: one row for each provider and kind of call that was ever open. */
import { type Selectable, sql } from 'kysely'
import type { CircuitState } from '../../shared/cluster.ts'
import type { EpochMs } from '../../shared/time.ts'
import type { CalendarOp } from '../core/calendar-op.ts'
import type { Queries } from './database.ts'
import type { CircuitTable } from './schema.ts'

type CircuitRow = Selectable<CircuitTable>

export const readCircuits = (db: Queries): Promise<readonly CircuitRow[]> =>
  db.selectFrom('circuits').selectAll().orderBy('providerId').orderBy('kind').execute()

/**
 * Until when nothing can be made at a provider, from its circuits: an open one of reads counts as one of creates does,
 * because nothing is asked for before the provider's list was looked at. Null: at any time.
 */
export function nothingMadeUntil(circuits: readonly CircuitRow[], providerId: string): EpochMs | null {
  const inTheWay = circuits.filter(
    (row) => row.providerId === providerId && row.kind !== 'delete' && row.state !== 'closed',
  )
  return inTheWay.reduce<EpochMs | null>((last, row) => Math.max(last ?? 0, row.openUntil ?? 0), null)
}

/** For a calendar that is built from rows. */
export const circuitOps = (circuits: readonly CircuitRow[]): readonly CalendarOp[] =>
  [...new Set(circuits.map((row) => row.providerId))].flatMap((providerId) => {
    const createOpenUntil = nothingMadeUntil(circuits, providerId)
    return createOpenUntil === null ? [] : [{ op: 'circuit' as const, providerId, createOpenUntil }]
  })

/**
 * Lets one call of the kind through to try, among all replicas.
 *
 * @param forMs so long nobody else is let through; whoever dies meanwhile is not waited for longer
 * @returns whether it is this one
 */
export async function claimTrial(
  db: Queries,
  of: { readonly providerId: string; readonly kind: CircuitRow['kind']; readonly now: EpochMs; readonly forMs: number },
): Promise<boolean> {
  const result = await db
    .updateTable('circuits')
    .set({
      trialUntil: of.now + of.forMs,
      state: sql<CircuitState>`case state when 'open' then 'half-open' else state end`,
    })
    .where('providerId', '=', of.providerId)
    .where('kind', '=', of.kind)
    .where((where) =>
      where.or([
        where('state', '=', 'closed'), // somebody's try went well, and this replica has not heard of it yet
        where.and([
          where('openUntil', '<=', of.now),
          where.or([where('trialUntil', 'is', null), where('trialUntil', '<=', of.now)]),
        ]),
      ]),
    )
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}
