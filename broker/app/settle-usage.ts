/**
 * Months that are settled. Closing one keeps its figures as they are then; what turns out later about any time before its
 * end is booked as a correction, and counts in the month in which it is booked.
 */
import type { ClosedPeriod, Settlement, SettlementLine } from '../../shared/usage.ts'
import { Refusal } from '../../shared/refusal.ts'
import { toIso, toIsoOrNull } from '../../shared/time.ts'
import { monthOf } from '../core/usage-month.ts'
import type { StoredLine } from '../store/schema.ts'
import { findPeriod, settlementLines } from '../store/usage.ts'
import type { App } from './app.ts'
import type { Answer, Caller, Command } from './command.ts'
import { figuresOf, totalOf } from './read-usage.ts'

/** Twice is as good as once. @param period `2026-12` */
export function closePeriod(app: App, command: Command, period: string): Promise<Answer<ClosedPeriod>> {
  const { start, end } = monthOf(period)
  return app.writer.answer(command, {
    needs: { settling: { period, from: start, to: end } },
    decide(draft) {
      const { organizationId, providerId } = command.caller
      if (organizationId !== null || providerId !== null) {
        throw new Refusal('not-found', 'A month is closed for all operators at once, and these are not all yours.')
      }
      if (draft.now < end) {
        throw new Refusal('not-in-this-status', `${period} is not over before ${toIso(end)}.`, { period })
      }
      const closedAt = draft.closePeriod(period, end)
      const body = { period, status: 'closed' as const, from: toIso(start), to: toIso(end), closedAt: toIso(closedAt) }
      return { body, etag: null }
    },
  })
}

/** Of a month that is not closed: the figures so far. A bound caller sees what is theirs. */
export async function readSettlement(app: App, caller: Caller, period: string): Promise<Settlement> {
  const { start, end } = monthOf(period)
  const db = app.database.queries
  const closed = await findPeriod(db, period)
  const lines = closed?.lines ?? (await settlementLines(db, { from: start, to: end, now: app.now() }))
  const visible = lines.filter(
    ({ organization, provider }) =>
      (caller.organizationId ?? organization) === organization && (caller.providerId ?? provider) === provider,
  )
  return {
    period,
    status: closed === null ? 'open' : 'closed',
    from: toIso(start),
    to: toIso(end),
    closedAt: toIsoOrNull(closed?.closedAt ?? null),
    items: perProgram(visible),
    total: figuresOf(totalOf(visible)),
  }
}

function perProgram(lines: readonly StoredLine[]): SettlementLine[] {
  const groups = Map.groupBy(lines, ({ provider, program, share, entry }) =>
    JSON.stringify([provider, program, share, entry]),
  )
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    const { provider, program, share, entry } = first
    return [{ provider, program, share, entry, ...figuresOf(totalOf(group)) }]
  })
}
