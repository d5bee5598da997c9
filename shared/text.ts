/** Pieces of the wire contract's schemas that several nouns share. */
import { z } from 'zod'

// Control characters have no place in a name, and PostgreSQL cannot hold U+0000 at all.
const NO_CONTROL = /^\P{Cc}*$/u

/** One line of text for people, 1 to `max` characters. */
export const lineOfText = (max: number) =>
  z.string().min(1).max(max).regex(NO_CONTROL, 'must not contain control characters')

const FIRST_YEAR = Date.parse('0001-01-01T00:00:00Z')
const AFTER_LAST_YEAR = Date.parse('9999-12-31T23:59:59.999Z')

/** RFC 3339; an offset is accepted, answers are in UTC, so in UTC too the year has four digits. */
export const Instant = z.iso
  .datetime({ offset: true, error: 'must be an RFC 3339 time, such as 2026-12-01T00:00:00Z' })
  .refine((text) => !(Date.parse(text) < FIRST_YEAR || Date.parse(text) > AFTER_LAST_YEAR), {
    message: 'must lie in the years 0001 to 9999 of UTC',
  })
  .meta({ description: 'RFC 3339; answers are in UTC.', example: '2026-12-01T00:00:00Z' })

export const InstantOrNull = Instant.nullable()

/** A page of a list. `nextCursor` is null on the last page. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.strictObject({
    items: z.array(item),
    nextCursor: z.string().nullable().meta({ description: 'Opaque; hand it back as `cursor`. Null on the last page.' }),
  })
