/** The start that an allocation was told first, kept for as long as it waits for it and after: how true it came is measured. */
import type { EpochMs } from '../../shared/time.ts'
import type { AllocationRow } from '../store/changes.ts'

const waitsForIt = ({ status }: AllocationRow): boolean => status === 'waitlisted' || status === 'scheduled'

/** @param before null: it has just come to be */
export function toldStart(before: AllocationRow | null, after: AllocationRow): EpochMs | null {
  const told = before?.toldStartAt ?? null
  if (!waitsForIt(after)) return told
  // One that waits again, after it ran or failed, is told anew.
  const kept = before !== null && waitsForIt(before) ? told : null
  return kept ?? after.estimatedStartAt ?? after.startAt
}
