/** When a caller is told that an allocation ends soon. */
import { DAY_MS, type EpochMs } from '../../shared/time.ts'

export interface Term {
  readonly startAt: EpochMs
  readonly endAt: EpochMs
  /** Of the last notice that was given, when it was due; null for none. An end that moves later is told of again. */
  readonly toldAt: EpochMs | null
}

export interface EndingNotice {
  readonly at: EpochMs
  readonly days: number
}

const NOTICE_DAYS = [7, 1]
/** Nobody is told earlier than so long before an end. */
export const LONGEST_NOTICE_MS = 7 * DAY_MS

/** Still to be given, in order. What is shorter than a notice never had that much left. */
const noticesOf = ({ startAt, endAt, toldAt }: Term): readonly EndingNotice[] =>
  NOTICE_DAYS.map((days) => ({ days, at: endAt - days * DAY_MS })).filter(
    ({ at }) => at >= startAt && (toldAt === null || at > toldAt),
  )

/** The one to be given now; of two that are both late, the later one says all. */
export const dueNotice = (term: Term, now: EpochMs): EndingNotice | null =>
  now < term.endAt ? (noticesOf(term).findLast(({ at }) => at <= now) ?? null) : null

export const nextNoticeAt = (term: Term, now: EpochMs): EpochMs | null =>
  noticesOf(term).find(({ at }) => at > now)?.at ?? null
