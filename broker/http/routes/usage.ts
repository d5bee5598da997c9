import { z } from 'zod'
import { csv } from '../../../shared/csv.ts'
import { invalidRequest } from '../../../shared/refusal.ts'
import { DAY_MS, type EpochMs, toIso } from '../../../shared/time.ts'
import {
  ClosedPeriod,
  Settlement,
  USAGE_GROUPS,
  type UsageGroup,
  UsageFigures,
  UsagePeriod,
  UsageReport,
} from '../../../shared/usage.ts'
import type { Range } from '../../app/command.ts'
import { InstantInQuery, MAX_YEARS, assertWithinYears } from '../time-range.ts'
import * as examples from '../examples.ts'
import { answered, found, reading, route } from '../route.ts'
import { Nothing } from './parts.ts'

const tag = 'Usage'
const FIGURES = Object.keys(UsageFigures.shape)
const MAX_GROUPS_AT_ONCE = 2
/** A line per day and group: a year of them is much for one report already. */
const MAX_DAYS = 366

const GroupBy = z
  .string()
  .transform((text) => text.split(','))
  .pipe(
    z
      .array(z.enum(USAGE_GROUPS))
      .max(MAX_GROUPS_AT_ONCE, `must name at most ${MAX_GROUPS_AT_ONCE}`)
      .refine((groups) => new Set(groups).size === groups.length, 'must name each only once'),
  )
  .meta({
    description: `Up to two of ${USAGE_GROUPS.map((group) => `\`${group}\``).join(', ')}, comma-separated. Default: the total alone.`,
    example: 'organization,day',
    override: { type: 'string' },
  })

const Query = z.strictObject({
  from: InstantInQuery.optional().meta({
    description: 'Default: the beginning of this month.',
    example: '2026-12-01T00:00:00Z',
  }),
  to: InstantInQuery.optional().meta({
    description: `At most ${MAX_YEARS} years after \`from\`, grouped by day ${MAX_DAYS} days. Default: now.`,
    example: '2027-01-01T00:00:00Z',
  }),
  groupBy: GroupBy.optional(),
})

const getUsage = reading({
  path: '/v1/usage',
  operationId: 'getUsage',
  tag,
  summary: 'Node-hours reserved and active, and what they come to in GPUs and compute',
  description:
    'Hours between `from` and `to`. Reserved: nodes held from the start of a placement to its end; what was held while nothing could be built, and is placed again or has failed, is given back. Active: nodes ready for use; one that is lost counts until it was last seen. A correction counts when it was booked, so that a closed month stays what it was. Sums are exact; what is shown is rounded to six decimals.',
  scope: 'usage:read',
  params: Nothing,
  query: Query,
  successes: { ok: { description: 'The report.', schema: UsageReport, example: examples.usageReport } },
  hasEtag: false,
  async handle(useCases, { caller, query, now }) {
    const groupBy: readonly UsageGroup[] = query.groupBy ?? []
    return found(await useCases.getUsage(caller, { ...rangeOf(query, now), groupBy }))
  },
  csv(body) {
    const { groupBy, items, total } = UsageReport.parse(body)
    return csv([...groupBy, ...FIGURES], groupBy.length === 0 ? [total] : items)
  },
})

/** @throws Refusal `invalid-request` for a range that is empty or too long */
function rangeOf(query: z.infer<typeof Query>, now: EpochMs): Range {
  const monthStart = Date.parse(`${toIso(now).slice(0, 7)}-01T00:00:00Z`)
  const from = query.from === undefined ? Math.min(monthStart, endOf(query, now)) : Date.parse(query.from)
  const to = endOf(query, now)
  assertWithinYears({ from, to })
  if (query.groupBy?.includes('day') === true && to - from > MAX_DAYS * DAY_MS) {
    throw invalidRequest([{ pointer: '/to', detail: `must be at most ${MAX_DAYS} days after from, grouped by day` }])
  }
  return { from, to }
}

const endOf = ({ to }: z.infer<typeof Query>, now: EpochMs): EpochMs => (to === undefined ? now : Date.parse(to))

const period = z.strictObject({ period: UsagePeriod })

const closeUsagePeriod = route({
  method: 'post',
  path: '/v1/usage/periods/{period}/close',
  operationId: 'closeUsagePeriod',
  tag,
  summary: 'Close a month',
  description:
    'Its figures stay as they are now, and so do those of all time before its end: what turns out later is booked as a correction in the month in which it turns out. Not before the month is over. Closing it twice is as good as once.',
  scope: 'operations:write',
  params: period,
  query: Nothing,
  body: { schema: Nothing, required: false, example: {} },
  takesIdempotencyKey: true,
  takesIfMatch: false,
  successes: { ok: { description: 'It is closed.', schema: ClosedPeriod, example: examples.closedPeriod } },
  hasEtag: false,
  problems: ['not-in-this-status'],
  handle: async (useCases, { command, params }) =>
    answered('ok', await useCases.closeUsagePeriod(command, params.period)),
})

const getSettlement = reading({
  path: '/v1/usage/periods/{period}/settlement',
  operationId: 'getSettlement',
  tag,
  summary: 'What a month comes to, per operator and program',
  description:
    'The government’s share and the operators’ own stand apart, and so do corrections. Until the month is closed these are the figures so far.',
  scope: 'usage:read',
  params: period,
  query: Nothing,
  successes: { ok: { description: 'The settlement.', schema: Settlement, example: examples.settlement } },
  hasEtag: false,
  handle: async (useCases, { caller, params }) => found(await useCases.getSettlement(caller, params.period)),
  csv(body) {
    const { items } = Settlement.parse(body)
    return csv(['provider', 'program', 'share', 'entry', ...FIGURES], items)
  },
})

export const usageRoutes = [getUsage, closeUsagePeriod, getSettlement]
