/** Reading the audit trail; a bound caller sees what is theirs, and no chain: it has gaps for them. */
import type { AuditChain, AuditRecord } from '../../shared/audit.ts'
import { Refusal } from '../../shared/refusal.ts'
import { toIso } from '../../shared/time.ts'
import type { AuditRow } from '../store/changes.ts'
import { type AuditFilter, auditEnds, pageOfAudit } from '../store/audit.ts'
import type { App } from './app.ts'
import { afterNumber, type Caller, type Page, type PageRequest } from './command.ts'

/** Oldest first. */
export async function listAudit(
  app: App,
  caller: Caller,
  filter: AuditFilter,
  page: PageRequest,
): Promise<Page<AuditRecord>> {
  const rows = await pageOfAudit(app.database.queries, {
    filter,
    sight: caller,
    after: afterNumber(page) ?? 0,
    limit: page.limit + 1,
  })
  const shown = rows.slice(0, page.limit)
  const last = rows.length > page.limit ? shown.at(-1) : undefined
  return { items: shown.map(auditView), next: last === undefined ? null : String(last.sequence) }
}

/** @throws Refusal `not-found` for a bound caller */
export async function readAuditChain(app: App, { organizationId, providerId }: Caller): Promise<AuditChain> {
  if (organizationId !== null || providerId !== null) {
    throw new Refusal('not-found', 'The whole trail is for callers that are bound to nobody.')
  }
  return auditEnds(app.database.queries)
}

const auditView = (row: AuditRow): AuditRecord => ({ ...row, at: toIso(row.at) })
