/** What the last sweep of a provider found, as callers see it. */
import type { Reconciliation, SweepFinding } from '../../shared/reconciliation.ts'
import { Refusal } from '../../shared/refusal.ts'
import { toIso, toIsoOrNull } from '../../shared/time.ts'
import type { FindingRow, SweepRow } from '../store/changes.ts'
import { findingsAt, findSweep } from '../store/sweeps.ts'
import type { App } from './app.ts'
import type { Caller } from './command.ts'

/**
 * Staff of an operator see what was found there and nowhere else. A caller of one organisation sees nothing of it: findings
 * are nodes of others, or of nobody that is known.
 *
 * @throws Refusal `not-found`
 */
export async function getReconciliation(
  { database }: App,
  caller: Caller,
  providerId: string,
): Promise<Reconciliation> {
  if (caller.providerId !== null && caller.providerId !== providerId) {
    throw new Refusal('not-found', `There is no provider ${providerId} of yours.`)
  }
  const sweep = await findSweep(database.queries, providerId)
  const found = caller.organizationId === null ? await findingsAt(database.queries, providerId) : []
  return reconciliationView(sweep, found)
}

export const reconciliationView = (sweep: SweepRow | null, findings: readonly FindingRow[]): Reconciliation => ({
  startedAt: toIsoOrNull(sweep?.startedAt ?? null),
  durationMs: sweep?.durationMs ?? null,
  findings: findings.map(findingView),
})

export const findingView = ({ kind, providerInstanceId, name, since, action }: FindingRow): SweepFinding => ({
  kind,
  providerInstanceId,
  name,
  since: toIso(since),
  action,
})
