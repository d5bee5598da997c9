/** What use cases work with, built once in main.ts. */
import type { EpochMs } from '../../shared/time.ts'
import type { Database } from '../store/database.ts'
import type { CalendarCache } from './calendar-cache.ts'
import type { Writer } from './writer.ts'
import type { ShownAllocation } from '../store/allocations.ts'
import type { Policy } from '../core/placement/policy.ts'

export interface App {
  readonly database: Database
  readonly writer: Writer
  readonly cache: CalendarCache
  /** An allocation as committed; those who ask together share a statement. */
  readonly findAllocation: (id: string) => Promise<ShownAllocation | undefined>
  readonly policy: Policy
  readonly installationId: string
  readonly now: () => EpochMs
}
