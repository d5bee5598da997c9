/** Reading approvals; a caller of one organisation sees its own, one of an operator those that are used there. */
import type { Approval } from '../../shared/approval.ts'
import { Refusal } from '../../shared/refusal.ts'
import { findApproval, pageOfApprovals } from '../store/approvals.ts'
import type { App } from './app.ts'
import { afterNumber, type Caller, type Page, type PageRequest } from './command.ts'
import { approvalView, etagOf } from './views.ts'

export async function getApproval(app: App, caller: Caller, id: string): Promise<{ body: Approval; etag: string }> {
  const row = await findApproval(app.database.queries, id, caller)
  if (row === null) throw new Refusal('not-found', `There is no approval ${id}.`)
  const calendar = await app.cache.read()
  return { body: approvalView(row, calendar, app.now()), etag: etagOf(row) }
}

/** Newest first. */
export async function listApprovals(app: App, caller: Caller, page: PageRequest): Promise<Page<Approval>> {
  const rows = await pageOfApprovals(app.database.queries, {
    sight: caller,
    after: afterNumber(page),
    limit: page.limit + 1,
  })
  const calendar = await app.cache.read()
  const shown = rows.slice(0, page.limit)
  const last = rows.length > page.limit ? shown.at(-1) : undefined
  return {
    items: shown.map((row) => approvalView(row, calendar, app.now())),
    next: last === undefined ? null : String(last.sequence),
  }
}
