/**
 * Who is served before whom within one priority: organisations that have consumed less lately, per what they are entitled
 * to. The order is an operation of the log, so that whoever folds the log serves in the same order.
 */
import { waiting } from '../core/calendar-reads.ts'
import type { Standing } from '../core/calendar-op.ts'
import { halfLivesBefore, standingsOf } from '../core/standing.ts'
import { consumedIn, entitledGpuHours } from '../store/standings.ts'
import type { App } from './app.ts'

/** Changes nothing while fewer than two organisations wait: there is nobody to be served before. */
export async function orderOrganizations(app: App): Promise<void> {
  const { queries } = app.database
  const calendar = await app.cache.read()
  if (new Set(waiting(calendar).map((entry) => entry.organizationId)).size < 2) return
  const now = app.now()
  // Read before the lock is taken: what has ended does not change any more.
  const consumption = {
    ended: await consumedIn(queries, halfLivesBefore(now)),
    entitledGpuHours: await entitledGpuHours(queries, now),
  }
  if (isSame(calendar.standings, standingsOf(calendar, consumption, now))) return
  await app.writer.run({
    needs: {},
    decide(draft) {
      const standings = standingsOf(draft.calendar, consumption, now)
      if (!isSame(draft.calendar.standings, standings)) draft.apply({ op: 'standings', standings })
    },
  })
}

const isSame = (now: ReadonlyMap<string, number>, next: readonly Standing[]): boolean =>
  now.size === next.length && next.every(({ organizationId, rank }) => now.get(organizationId) === rank)
