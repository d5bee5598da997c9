/** What the last sweep of a provider found, as callers see it. */
import type { Reconciliation, SweepFinding } from '../../shared/reconciliation.ts'
import { toIso, toIsoOrNull } from '../../shared/time.ts'
import type { FindingRow, SweepRow } from '../store/changes.ts'
import { findingsAt, findSweep } from '../store/sweeps.ts'
import type { App } from './app.ts'

export async function getReconciliation({ database }: App, providerId: string): Promise<Reconciliation> {
  const sweep = await findSweep(database.queries, providerId)
  return reconciliationView(sweep, await findingsAt(database.queries, providerId))
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
