/**
 * Everything that a simulated operator ever built, and when it went: the witness in tests of "never more nodes than
 * asked for" and of "nothing left behind". It is kept apart from the operator's own records, so that what the operator
 * forgets (or lies about) still stands here.
 */
import { toIsoOrNull } from '../../shared/time.ts'
import type { Store } from './store.ts'

export interface LedgerNode {
  readonly id: string
  readonly name: string
  /** RFC 3339. */
  readonly createdAt: string
  /** Null while it exists. */
  readonly deletedAt: string | null
}

export interface LedgerOther extends LedgerNode {
  /** `init-script`, `fabric-cluster`, `public-ip`, `volume`, `port`, `keypair`, … */
  readonly kind: string
}

export interface LedgerView {
  readonly nodes: readonly LedgerNode[]
  readonly others: readonly LedgerOther[]
}

export interface Ledger {
  /** Notes that something came into being. */
  made(thing: Made): void
  /** Notes when something goes; an instant still ahead counts as "still there" until then. The first one stands. */
  gone(kind: string, id: string, atMs: number): void
  /** How many nodes stand on hardware at an instant. */
  nodesOnHardware(nowMs: number): number
  view(nowMs: number): LedgerView
}

export interface Made {
  /** `node`, or what it is beside nodes. */
  readonly kind: string
  readonly id: string
  readonly name: string
  readonly atMs: number
  /** False for a node that exists in the books only, because no host was found for it. Default true. */
  readonly onHardware?: boolean
}

interface Entry extends Omit<Required<Made>, 'atMs'> {
  readonly createdAtMs: number
  readonly deletedAtMs: number | null
}

export function openLedger(store: Store): Ledger {
  const entries = store.table<Entry>('ledger')
  const goneBy = (entry: Entry, nowMs: number): boolean => entry.deletedAtMs !== null && entry.deletedAtMs <= nowMs
  const seen = (entry: Entry, nowMs: number): LedgerOther => ({
    kind: entry.kind,
    id: entry.id,
    name: entry.name,
    createdAt: new Date(entry.createdAtMs).toISOString(),
    deletedAt: goneBy(entry, nowMs) ? toIsoOrNull(entry.deletedAtMs) : null,
  })
  return {
    made({ kind, id, name, atMs, onHardware = true }) {
      entries.set(`${kind}/${id}`, { kind, id, name, onHardware, createdAtMs: atMs, deletedAtMs: null })
    },
    gone(kind, id, atMs) {
      const entry = entries.get(`${kind}/${id}`)
      if (entry === undefined || entry.deletedAtMs !== null) return
      entries.set(`${kind}/${id}`, { ...entry, deletedAtMs: atMs })
    },
    nodesOnHardware: (nowMs) =>
      entries.values().filter((entry) => entry.kind === 'node' && entry.onHardware && !goneBy(entry, nowMs)).length,
    view(nowMs) {
      const all = entries.values().map((entry) => seen(entry, nowMs))
      return {
        nodes: all
          .filter((entry) => entry.kind === 'node')
          .map(({ id, name, createdAt, deletedAt }) => ({ id, name, createdAt, deletedAt })),
        others: all.filter((entry) => entry.kind !== 'node'),
      }
    },
  }
}
