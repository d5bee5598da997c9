/**
 * What the first start writes down: installation, head, catalogue. A later start with another catalogue changes it as a
 * reload does (reload-inventory.ts), because somebody may already be in its way.
 */
import type { EpochMs } from '../../shared/time.ts'
import type { Cluster } from '../core/cluster.ts'
import type { Database } from '../store/database.ts'
import { dropClaims } from '../store/allocations.ts'
import { dropSweepClaims } from '../store/sweeps.ts'
import { appendLog, ensureHead, installationId, lockHead, readHead, saveCatalogue, saveHead } from '../store/head.ts'
import { chained } from './digest.ts'
import { newId } from './ids.ts'

/** @returns the installation's id */
export async function install(database: Database, catalogue: readonly Cluster[], now: EpochMs): Promise<string> {
  await ensureHead(database.queries, now)
  // One process owns this database, so whoever held claims is dead; replicas wait for the leases instead.
  if (database.engine === 'pglite') {
    await dropClaims(database.queries)
    await dropSweepClaims(database.queries)
  }
  await database.transaction(async (trx) => {
    const head = await lockHead(trx)
    if ((await readHead(trx)).catalogue.length > 0) return
    const op = { op: 'catalogue', clusters: catalogue } as const
    const version = head.version + 1
    await appendLog(trx, [{ version, at: now, op }])
    await saveCatalogue(trx, catalogue)
    await saveHead(trx, {
      ...head,
      version,
      lastAt: Math.max(now, head.lastAt),
      logDigest: chained(head.logDigest, op),
    })
  })
  return installationId(database.queries, newId('ins'), now)
}
