/** Retention of the audit trail: a record of the trail itself says up to where it may be gone, before anything goes. */
import type { EpochMs } from '../../shared/time.ts'
import { PRUNE_ACTION, prunedResource } from '../core/audit-chain.ts'
import { prunableAudit } from '../store/retention.ts'
import type { App } from './app.ts'

const ITSELF = { clientId: 'gpu-broker', scopes: new Set<string>(), organizationId: null, providerId: null } as const

/** @returns the number up to which records may be removed; null: none is old enough */
export async function announcePruning(app: App, before: EpochMs): Promise<number | null> {
  const through = await prunableAudit(app.database.queries, before, PRUNE_ACTION)
  if (through === null) return null
  const attempt = { caller: ITSELF, action: PRUNE_ACTION, resource: prunedResource(through), requestId: 'retention' }
  await app.writer.perform(attempt, { needs: {}, decide: () => null })
  return through.sequence
}
