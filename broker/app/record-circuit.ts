/**
 * A circuit opened or closed on some replica: all replicas go by it from now on, and so do decisions, which send nothing
 * to a provider where nothing can be made.
 */
import { type EpochMs, toIso, toIsoOrNull } from '../../shared/time.ts'
import type { CircuitRow } from '../store/changes.ts'
import { nothingMadeUntil } from '../store/circuits.ts'
import type { Draft } from './draft.ts'
import type { Member } from './decide-group.ts'

export interface CircuitFound extends Pick<CircuitRow, 'providerId' | 'kind'> {
  readonly state: 'open' | 'closed'
  /** The first failure since the last success. */
  readonly failingSince: EpochMs | null
}

const KINDS = ['read', 'create', 'delete'] as const

/** @param resetMs so long it stays open before one call is let through */
export function recordCircuit(found: CircuitFound, resetMs: number): Member<void> {
  return {
    needs: { circuits: true },
    decide(draft) {
      const before = draft.circuit(found)
      if (found.state === 'closed' && (before === null || before.state === 'closed')) return
      const row = found.state === 'open' ? opened(draft, before, found, resetMs) : closed(draft, found)
      draft.saveCircuit(row)
      tellTheCalendar(draft, found.providerId)
      if ((before?.state ?? 'closed') !== 'closed' && found.state === 'open') return // tried in vain: no news
      draft.event({
        type: found.state === 'open' ? 'provider.circuit-opened' : 'provider.circuit-closed',
        subject: `providers/${found.providerId}`,
        data: {
          kind: found.kind,
          failingSince: toIsoOrNull(row.failingSince ?? before?.failingSince ?? null),
          openUntil: toIsoOrNull(row.openUntil),
          at: toIso(draft.now),
        },
      })
    },
  }
}

/** It has been failing since before the first time that it opened, however often it was tried since. */
const opened = (draft: Draft, before: CircuitRow | null, found: CircuitFound, resetMs: number): CircuitRow => ({
  providerId: found.providerId,
  kind: found.kind,
  state: 'open',
  failingSince: before?.failingSince ?? found.failingSince ?? draft.now,
  openUntil: draft.now + resetMs,
  trialUntil: null,
  changedAt: draft.now,
})

const closed = (draft: Draft, { providerId, kind }: CircuitFound): CircuitRow => ({
  providerId,
  kind,
  state: 'closed',
  failingSince: null,
  openUntil: null,
  trialUntil: null,
  changedAt: draft.now,
})

function tellTheCalendar(draft: Draft, providerId: string): void {
  const rows = KINDS.flatMap((kind) => draft.circuit({ providerId, kind }) ?? [])
  const createOpenUntil = nothingMadeUntil(rows, providerId)
  if ((draft.calendar.openUntil.get(providerId) ?? null) === createOpenUntil) return
  draft.apply({ op: 'circuit', providerId, createOpenUntil })
}
