/** Clocks that differ: tokens and signatures carry times, and are refused when these are off. */
import { SECOND_MS } from '../../shared/time.ts'
import { type Examined, fail, ok, warn } from './check.ts'

/** An HTTP date has whole seconds, and an answer is on its way for some. */
const UNREMARKABLE_MS = 5 * SECOND_MS
/** Operators refuse signatures that are minutes off, issuers' tokens have some of them at most. */
const REFUSED_SOON_MS = 60 * SECOND_MS

const ADVICE = 'synchronise this machine’s clock (NTP); if it is right, tell whoever runs the other'

/** @param skewMs their clock less ours; null where they do not tell */
export function clockOf(of: string, skewMs: number | null): Examined {
  if (skewMs === null) return ok(of, 'clock', 'not told')
  const off = Math.abs(skewMs)
  const found =
    off <= UNREMARKABLE_MS ? 'as ours' : `${Math.round(off / SECOND_MS)} s ${skewMs > 0 ? 'ahead' : 'behind'}`
  if (off <= UNREMARKABLE_MS) return ok(of, 'clock', found)
  return (off <= REFUSED_SOON_MS ? warn : fail)(of, 'clock', found, ADVICE)
}
