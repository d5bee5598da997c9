/** What would let those on a page of the waitlist start earlier: a search for each, in slices, and kept for a moment. */
import { type EpochMs, SECOND_MS } from '../../shared/time.ts'
import type { Calendar } from '../core/calendar.ts'
import { waitingEntryOf } from '../core/calendar-reads.ts'
import { type EarlierStart, earlierStarts } from '../core/earlier.ts'
import type { App } from './app.ts'
import type { SeenCalendar } from './calendar-cache.ts'
import { inSlices } from './slices.ts'

interface Known extends Pick<SeenCalendar, 'version' | 'takenBack'> {
  readonly at: EpochMs
  readonly byId: Map<string, readonly EarlierStart[]>
}

/** On a calendar that has not changed, answers differ only in what starts at once. */
const KEPT_MS = 10 * SECOND_MS

const known = new WeakMap<Calendar, Known>()

/** By allocation. One that waits no longer is left out. */
export async function earlierOf(
  app: App,
  allocationIds: readonly string[],
): Promise<ReadonlyMap<string, readonly EarlierStart[]>> {
  const { calendar, version, takenBack } = await app.cache.see()
  const now = app.now()
  let kept = known.get(calendar)
  if (kept?.version !== version || kept.takenBack !== takenBack || now - kept.at > KEPT_MS) {
    kept = { version, takenBack, at: now, byId: new Map() }
    known.set(calendar, kept)
  }
  const { byId } = kept
  return inSlices(lookAt(allocationIds))

  function* lookAt(ids: readonly string[]): Generator<undefined, ReadonlyMap<string, readonly EarlierStart[]>> {
    const found = new Map<string, readonly EarlierStart[]>()
    for (const id of ids) {
      const entry = waitingEntryOf(calendar, id)
      if (entry === null) continue
      let earlier = byId.get(id)
      if (earlier === undefined) {
        earlier = earlierStarts(calendar, entry, now)
        byId.set(id, earlier)
        yield
      }
      found.set(id, earlier)
    }
    return found
  }
}
