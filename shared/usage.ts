/** Usage: what was reserved and what worked, in hours, by whatever it is looked at; and months that are settled. */
import { z } from 'zod'
import { SHARES } from './cluster.ts'
import { Instant, InstantOrNull } from './text.ts'

export const USAGE_GROUPS = [
  'organization',
  'organizationType',
  'program',
  'provider',
  'cluster',
  'approval',
  'share',
  'day',
] as const
export type UsageGroup = (typeof USAGE_GROUPS)[number]

/** Sums are exact in milliseconds; only what is shown is rounded. */
const Hours = z.number().meta({
  description: 'Hours, rounded to six decimals (3.6 ms). Negative where corrections outweigh what they are added to.',
})

export const UsageFigures = z.strictObject({
  nodeHoursReserved: Hours,
  nodeHoursActive: Hours,
  gpuHoursActive: Hours,
  fp8H200EquivalentHours: Hours.meta({
    description: 'GPU-hours active times the cluster’s FP8 compute per GPU, in H200s.',
  }),
})
export type UsageFigures = z.infer<typeof UsageFigures>

const GroupValue = z.string().nullable().optional()

export const UsageItem = z
  .strictObject({
    organization: GroupValue,
    organizationType: GroupValue,
    program: GroupValue,
    provider: GroupValue,
    cluster: GroupValue,
    approval: GroupValue,
    share: GroupValue,
    day: GroupValue.meta({ description: 'In UTC, such as 2026-12-01.' }),
    ...UsageFigures.shape,
  })
  .meta({ id: 'UsageItem', description: 'One group: it has the members that were asked for, and no others of them.' })
export type UsageItem = z.infer<typeof UsageItem>

export const UsageReport = z
  .strictObject({
    from: Instant,
    to: Instant,
    groupBy: z.array(z.enum(USAGE_GROUPS)),
    items: z.array(UsageItem),
    total: UsageFigures,
  })
  .meta({ id: 'UsageReport' })
export type UsageReport = z.infer<typeof UsageReport>

/** A month in UTC. */
export const UsagePeriod = z
  .string()
  .regex(/^20[0-9]{2}-(0[1-9]|1[0-2])$/, 'must be a month, such as 2026-12')
  .meta({ description: 'A month in UTC.', example: '2026-12' })

export const ClosedPeriod = z
  .strictObject({ period: UsagePeriod, status: z.literal('closed'), from: Instant, to: Instant, closedAt: Instant })
  .meta({ id: 'ClosedPeriod' })
export type ClosedPeriod = z.infer<typeof ClosedPeriod>

export const SettlementLine = z
  .strictObject({
    provider: z.string(),
    program: z.string(),
    share: z.enum(SHARES),
    entry: z.enum(['usage', 'correction']).meta({
      description: '`correction`: booked in this month, of time that lies in months closed before or was given back.',
    }),
    ...UsageFigures.shape,
  })
  .meta({ id: 'SettlementLine' })
export type SettlementLine = z.infer<typeof SettlementLine>

export const Settlement = z
  .strictObject({
    period: UsagePeriod,
    status: z
      .enum(['open', 'closed'])
      .meta({ description: '`open`: the figures so far; a closed month’s do not change.' }),
    from: Instant,
    to: Instant,
    closedAt: InstantOrNull,
    items: z.array(SettlementLine),
    total: UsageFigures,
  })
  .meta({ id: 'Settlement' })
export type Settlement = z.infer<typeof Settlement>
