/** The audit trail as a caller reads it, and whether it is whole. */
import { createHash } from 'node:crypto'
import { walkChain } from '../../broker/core/audit-chain.ts'
import { AuditChain, AuditRecord } from '../../shared/audit.ts'
import { pageOf } from '../../shared/text.ts'
import type { ApiClient } from '../support/api-client.ts'

/** All records, page by page. @param query begins with `&` */
export async function auditTrail(client: ApiClient, query = ''): Promise<AuditRecord[]> {
  const records: AuditRecord[] = []
  for (let cursor = ''; ; ) {
    const page = (await client.get(`/v1/audit?limit=500${query}${cursor}`)).as(200, pageOf(AuditRecord))
    records.push(...page.items)
    if (page.nextCursor === null) return records
    cursor = `&cursor=${page.nextCursor}`
  }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Number of the first record that is not what it should be; null: the trail is whole. */
export async function firstBroken(auditor: ApiClient): Promise<number | null> {
  const walk = walkChain((await auditor.get('/v1/audit/chain')).as(200, AuditChain), sha256)
  for (const record of await auditTrail(auditor)) {
    const broken = walk.step(record)
    if (broken !== null) return broken.sequence
  }
  return walk.end()?.sequence ?? null
}
