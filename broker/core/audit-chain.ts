/**
 * The chain of the audit trail: each record carries the hash of the one before, so that none can be changed, left out or
 * put in between without all after it. What retention removes is removed from the old end, and a record of the trail
 * itself says up to where and with which hash.
 */
import type { AuditChain, AuditRecord } from '../../shared/audit.ts'

/** What the first record has for the hash of the one before. */
export const NO_HASH = '0'.repeat(64)

/** What a record's hash is of. */
export const linkText = (record: Omit<AuditRecord, 'hash'>): string =>
  `${record.previousHash}\n${JSON.stringify([
    record.sequence,
    record.at,
    record.actor,
    record.action,
    record.resource,
    record.outcome,
    record.code,
    record.requestId,
    record.organizationId,
    record.providerId,
  ])}`

export const PRUNE_ACTION = 'pruneAudit'

/** The resource of a record that says that all up to this one may be gone. */
export const prunedResource = ({ sequence, hash }: Pick<AuditRecord, 'sequence' | 'hash'>): string =>
  `audit/${sequence}/${hash}`

type Pruned = Pick<AuditRecord, 'sequence' | 'hash'>

function prunedThrough(record: AuditRecord): Pruned | null {
  const [, sequence, hash] = /^audit\/(\d+)\/([0-9a-f]{64})$/.exec(record.resource) ?? []
  if (record.action !== PRUNE_ACTION || sequence === undefined || hash === undefined) return null
  return { sequence: Number(sequence), hash }
}

export interface Break {
  /** Of the first record that is not what it should be. */
  readonly sequence: number
  readonly what: string
}

export interface Walk {
  /** The next record, in their order. @returns null while the chain holds */
  step(record: AuditRecord): Break | null
  /** After the last one. */
  end(): Break | null
}

/** @param digest SHA-256 in hex */
export function walkChain({ oldest, last }: AuditChain, digest: (text: string) => string): Walk {
  const first = oldest ?? { sequence: last.sequence + 1, previousHash: last.hash }
  let expected = first
  let pruned: Pruned | null = null
  return {
    step(record) {
      const broken = (what: string): Break => ({ sequence: expected.sequence, what })
      if (record.sequence !== expected.sequence)
        return broken(`is missing: record ${record.sequence} comes in its place`)
      if (record.previousHash !== expected.previousHash) return broken('does not carry the hash of the one before')
      if (digest(linkText(record)) !== record.hash) return broken('has been changed: its hash is of something else')
      pruned = prunedThrough(record) ?? pruned
      expected = { sequence: record.sequence + 1, previousHash: record.hash }
      return null
    },
    end() {
      if (expected.sequence <= last.sequence) return { sequence: expected.sequence, what: 'is missing at the end' }
      if (expected.previousHash !== last.hash) return { sequence: last.sequence, what: 'is not the one written last' }
      if (mayBegin(first, pruned)) return null
      return { sequence: first.sequence, what: 'begins the trail, and no record says that those before it may be gone' }
    },
  }
}

/** While a pruning is on its way, some of what it names is still there. */
function mayBegin({ sequence, previousHash }: NonNullable<AuditChain['oldest']>, pruned: Pruned | null): boolean {
  if (sequence === 1) return previousHash === NO_HASH
  if (pruned === null) return false
  return pruned.sequence > sequence - 1 || (pruned.sequence === sequence - 1 && pruned.hash === previousHash)
}
