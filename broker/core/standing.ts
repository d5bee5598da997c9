/**
 * Where organisations stand when those who wait are served: what each has consumed lately, per what its approvals
 * entitle it to. Whole numbers only, so that every replica and every replay comes to the same order.
 */
import { DAY_MS, HOUR_MS, type EpochMs } from '../../shared/time.ts'
import type { Calendar } from './calendar.ts'
import type { Standing } from './calendar-op.ts'

/** After so long use counts half; the numbers are policy, and change only together with the policy's version. */
export const HALF_LIFE_MS = 28 * DAY_MS
/** What a node-millisecond counts, by how many half-lives ago it was: the newest first. Older ones count nothing. */
export const HALVINGS = [128, 64, 32, 16, 8, 4, 2, 1] as const

/** One organisation's node-time in one half-life before `now`. */
export interface Consumed {
  readonly organizationId: string
  /** An index into `HALVINGS`. */
  readonly halfLivesAgo: number
  readonly nodeMs: number
}

/** A half-life before some instant, `[from, to)`. */
export interface HalfLife {
  readonly halfLivesAgo: number
  readonly from: EpochMs
  readonly to: EpochMs
}

/** All that count, the newest first. */
export const halfLivesBefore = (now: EpochMs): HalfLife[] =>
  HALVINGS.map((_, halfLivesAgo) => ({
    halfLivesAgo,
    from: now - (halfLivesAgo + 1) * HALF_LIFE_MS,
    to: now - halfLivesAgo * HALF_LIFE_MS,
  }))

export interface Consumption {
  /** Of what has ended. */
  readonly ended: readonly Consumed[]
  /** Organisation → the GPU-hours that its valid approvals grant together. */
  readonly entitledGpuHours: ReadonlyMap<string, number>
}

/** By organisation id; who has consumed nothing is not named, and stands at 0. */
export function standingsOf(calendar: Calendar, { ended, entitledGpuHours }: Consumption, now: EpochMs): Standing[] {
  const weighed = new Map<string, bigint>()
  for (const { organizationId, halfLivesAgo, nodeMs } of [...ended, ...runningNow(calendar, now)]) {
    const weight = HALVINGS[halfLivesAgo] ?? 0
    weighed.set(organizationId, (weighed.get(organizationId) ?? 0n) + BigInt(nodeMs) * BigInt(weight))
  }
  const shares = [...weighed]
    .filter(([, used]) => used > 0n)
    .map(([organizationId, used]) => ({
      organizationId,
      used,
      // Whose approvals grant nothing any more has consumed more than its share, however little it was.
      entitled: BigInt(Math.floor(entitledGpuHours.get(organizationId) ?? 0)),
    }))
    .toSorted((a, b) => compareShares(a, b) || (a.organizationId < b.organizationId ? -1 : 1)) // ids are unique
  let rank = 0
  return shares
    .map((share, index) => {
      const before = shares[index - 1]
      if (before === undefined || compareShares(before, share) !== 0) rank += 1
      return { organizationId: share.organizationId, rank }
    })
    .toSorted((a, b) => (a.organizationId < b.organizationId ? -1 : 1)) // ids are unique
}

interface Share {
  readonly used: bigint
  readonly entitled: bigint
}

/** `used ÷ entitled`, compared without dividing. */
function compareShares(a: Share, b: Share): number {
  if (a.entitled === 0n || b.entitled === 0n) return Number(a.entitled === 0n) - Number(b.entitled === 0n)
  const difference = a.used * b.entitled - b.used * a.entitled
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

/** Of what runs, an hour begun counts whole: whoever has just started has consumed, and the order rests for an hour. */
function runningNow(calendar: Calendar, now: EpochMs): Consumed[] {
  const consumed: Consumed[] = []
  for (const { reservations } of calendar.clusters.values()) {
    for (const { what } of reservations.values()) {
      if (what.phase !== 'running' || what.start > now) continue
      const elapsedMs = Math.max(0, Math.min(now, what.end) - what.start)
      const countedMs = (Math.floor(elapsedMs / HOUR_MS) + 1) * HOUR_MS
      for (const [halfLivesAgo] of HALVINGS.entries()) {
        const inPart = Math.min(HALF_LIFE_MS, countedMs - halfLivesAgo * HALF_LIFE_MS)
        if (inPart > 0)
          consumed.push({ organizationId: what.organizationId, halfLivesAgo, nodeMs: what.nodes * inPart })
      }
    }
  }
  return consumed
}
