/** Whether the allocation's nodes are on their way back now: to end it, to place it again, or because its notice is over. */
import type { EpochMs } from '../../shared/time.ts'
import type { AllocationRow } from '../store/changes.ts'

export const isLeaving = ({ status, undoing, endAt }: AllocationRow, now: EpochMs): boolean =>
  status === 'releasing' || undoing !== null || (status === 'preempting' && endAt !== null && endAt <= now)
