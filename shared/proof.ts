/** What an auditor takes away to decide everything again, without trusting whoever decided first. */
import { z } from 'zod'
import { Decision } from './decision.ts'
import { AllocationId } from './ids.ts'
import { Instant } from './text.ts'

/** What the digest of an empty log is. */
export const EMPTY_LOG_DIGEST = '0'.repeat(64)

const Json = z.record(z.string(), z.unknown())

export const DecisionRecord = z
  .strictObject({
    sequence: z.int().min(1).meta({ description: 'Without gaps, in the order of deciding.' }),
    allocationId: AllocationId.nullable().meta({ description: 'Null: it was refused before there was one.' }),
    calendarVersion: z.int().min(0).meta({ description: 'The operations of the calendar up to this one were known.' }),
    input: Json.meta({ description: 'All that it followed from beside the calendar, `at` and the policy.' }),
    ...Decision.shape,
  })
  .meta({ id: 'DecisionRecord' })
export type DecisionRecord = z.infer<typeof DecisionRecord>

export const CalendarEntry = z
  .strictObject({
    version: z.int().min(1).meta({ description: 'Without gaps.' }),
    at: Instant,
    op: Json.meta({ description: 'One operation on the calendar; the calendar is what all of them leave.' }),
  })
  .meta({ id: 'CalendarEntry' })
export type CalendarEntry = z.infer<typeof CalendarEntry>

export const CalendarHead = z
  .strictObject({
    version: z.int().min(0).meta({ description: 'Of the last operation.' }),
    logDigest: z.string().meta({
      description:
        'SHA-256, in hex, over the digest before the last operation, a line feed, and that operation as JSON with sorted members; before the first it is 64 zeros.',
    }),
    decisions: z.int().min(0).meta({ description: 'How many have been made: the sequence of the last.' }),
  })
  .meta({ id: 'CalendarHead' })
export type CalendarHead = z.infer<typeof CalendarHead>
