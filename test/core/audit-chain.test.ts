import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { linkText, NO_HASH, PRUNE_ACTION, prunedResource, walkChain } from '../../broker/core/audit-chain.ts'
import type { AuditChain, AuditRecord } from '../../shared/audit.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** A sound trail of so many records. @param changes by sequence, made before the record is hashed */
function aTrail(
  length: number,
  changes: Readonly<Record<number, (before: readonly AuditRecord[]) => object>> = {},
): AuditRecord[] {
  const records: AuditRecord[] = []
  for (let sequence = 1; sequence <= length; sequence += 1) {
    const record = {
      sequence,
      at: '2026-12-01T00:00:00Z',
      actor: 'platform',
      action: 'createAllocation',
      resource: `allocations/${sequence}`,
      outcome: 'done' as const,
      code: null,
      requestId: `req-${sequence}`,
      organizationId: 'kaist',
      providerId: null,
      previousHash: records.at(-1)?.hash ?? NO_HASH,
      ...changes[sequence]?.(records),
    }
    records.push({ ...record, hash: sha256(linkText(record)) })
  }
  return records
}

const endsOf = (records: readonly AuditRecord[]): AuditChain => ({
  oldest: records[0] ?? null,
  last: records.at(-1) ?? { sequence: 0, hash: NO_HASH },
})

function verify(records: readonly AuditRecord[], ends = endsOf(records)): number | null {
  const walk = walkChain(ends, sha256)
  for (const record of records) {
    const broken = walk.step(record)
    if (broken !== null) return broken.sequence
  }
  return walk.end()?.sequence ?? null
}

describe('the chain of the audit trail', () => {
  it('holds as it was written, and while it is empty', () => {
    expect(verify(aTrail(5))).to.equal(null)
    expect(verify([])).to.equal(null)
  })

  const MEMBERS = ['at', 'actor', 'action', 'resource', 'outcome', 'code', 'requestId', 'organizationId', 'providerId']
  for (const member of MEMBERS) {
    it(`breaks at a record whose ${member} has been changed`, () => {
      const trail = aTrail(5).map((record) => (record.sequence === 3 ? { ...record, [member]: 'other' } : record))
      expect(verify(trail)).to.equal(3)
    })
  }

  it('breaks behind a record that was changed and given its proper hash', () => {
    const trail = aTrail(5).map((record) => {
      if (record.sequence !== 3) return record
      const forged = { ...record, actor: 'nobody' }
      return { ...forged, hash: sha256(linkText(forged)) }
    })
    expect(verify(trail)).to.equal(4)
  })

  it('breaks where a record is left out, in the middle, at the end or at the beginning', () => {
    const trail = aTrail(5)
    const without = (sequence: number) => trail.filter((record) => record.sequence !== sequence)
    expect(verify(without(3))).to.equal(3)
    expect(verify(without(5), endsOf(trail))).to.equal(5)
    expect(verify(without(1))).to.equal(2)
  })

  it('breaks where all of it was written anew and the head was not', () => {
    const forged = aTrail(5, { 2: () => ({ actor: 'nobody' }) })
    expect(verify(forged, { ...endsOf(forged), last: endsOf(aTrail(5)).last })).to.equal(5)
  })

  const pruning = (sequence: number) => (before: readonly AuditRecord[]) => ({
    action: PRUNE_ACTION,
    resource: prunedResource(before[sequence - 1] ?? { sequence, hash: NO_HASH }),
  })

  it('may begin behind what a record of its own says has been removed, or before that while it is being removed', () => {
    const trail = aTrail(6, { 5: pruning(3) })
    expect(verify(trail.slice(3))).to.equal(null)
    expect(verify(trail.slice(2))).to.equal(null)
    expect(verify(trail.slice(4))).to.equal(5)
  })
})
