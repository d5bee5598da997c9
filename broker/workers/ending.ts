/** Tells of ends that come near, when the notice is due and not before. */
import { MINUTE_MS, SECOND_MS } from '../../shared/time.ts'
import type { App } from '../app/app.ts'
import { tellEnding, termOf } from '../app/tell-ending.ts'
import { dueNotice, LONGEST_NOTICE_MS, nextNoticeAt } from '../core/ending.ts'
import { endingBefore } from '../store/allocations.ts'
import type { Changes } from '../store/changes.ts'
import { type Loop, startLoop } from './loop.ts'

export interface EndingWorker extends Loop {
  /** To be called after each commit: pokes where an end may have come near. */
  noticed(changes: Changes): void
}

export function startEnding(app: App, onError: (error: unknown) => void): EndingWorker {
  const loop = startLoop({
    pauseAfterErrorMs: SECOND_MS,
    onError,
    async round() {
      const now = app.now()
      // So far ahead that a notice which comes due before the next round is known.
      const rows = await endingBefore(app.database.queries, now + LONGEST_NOTICE_MS + MINUTE_MS)
      let nextAt = now + MINUTE_MS
      for (const row of rows) {
        const term = termOf(row)
        if (term === null) continue
        if (dueNotice(term, now) !== null) await app.writer.run(tellEnding(row.id))
        nextAt = Math.min(nextAt, nextNoticeAt(term, now) ?? nextAt)
      }
      return nextAt - app.now()
    },
  })
  return {
    ...loop,
    noticed({ allocations }) {
      const soon = app.now() + LONGEST_NOTICE_MS + MINUTE_MS
      const near = [...allocations.values()].some((row) => {
        const term = termOf(row)
        return term !== null && term.endAt <= soon && nextNoticeAt(term, app.now()) !== null
      })
      if (near) loop.poke()
    },
  }
}
