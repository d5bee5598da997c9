/** Which organisation has which network of a cluster: taken with the first names of its nodes there, kept until none is left. */
import { sql } from 'kysely'
import type { Changes, NetworkLeaseRow } from './changes.ts'
import type { Queries, Transaction } from './database.ts'
import { insertRows } from './rows.ts'

/** Of all clusters: no more rows than networks are configured. */
export const readLeases = (db: Queries): Promise<readonly NetworkLeaseRow[]> =>
  db.selectFrom('networkLeases').selectAll().orderBy('clusterId').orderBy('network').execute()

export async function leasedNetwork(
  db: Queries,
  { clusterId, organizationId }: Pick<NetworkLeaseRow, 'clusterId' | 'organizationId'>,
): Promise<string | null> {
  const row = await db
    .selectFrom('networkLeases')
    .select('network')
    .where('clusterId', '=', clusterId)
    .where('organizationId', '=', organizationId)
    .executeTakeFirst()
  return row?.network ?? null
}

/** An organisation may have nodes wherever one of its allocations is in one of these. */
const MAY_HAVE_NODES = ['provisioning', 'active', 'preempting', 'releasing']

/** After the allocations were written: those that ended there may have been the last of their organisation. */
export async function saveLeases(trx: Transaction, { leases, leavings }: Changes): Promise<void> {
  await insertRows(trx, 'network_leases', [...leases.values()])
  if (leavings.size === 0) return
  await sql`
    delete from network_leases as lease
    using jsonb_to_recordset(${JSON.stringify([...leavings.values()])}::jsonb)
      as leaving ("clusterId" text, "organizationId" text)
    where lease.cluster_id = leaving."clusterId" and lease.organization_id = leaving."organizationId"
      and not exists (
        select 1 from allocations where allocations.cluster_id = lease.cluster_id
          and allocations.organization_id = lease.organization_id and allocations.status in (${sql.join(MAY_HAVE_NODES)})
      )`.execute(trx)
}
