/** Sees to it that idle-use is told in time: each group of decisions gives the notices that are due, so one is asked for then. */
import { MINUTE_MS, SECOND_MS } from '../../shared/time.ts'
import type { App } from '../app/app.ts'
import { giveNotices } from '../app/take-back.ts'
import { nextNoticeAt } from '../core/idle/notices.ts'
import type { Changes } from '../store/changes.ts'
import { type Loop, startLoop } from './loop.ts'

export interface IdleNotice extends Loop {
  /** To be called after each commit: whatever changed on the calendar may need nodes sooner. */
  noticed(changes: Changes): void
}

export interface IdleNoticeOptions {
  readonly app: App
  readonly onError: (error: unknown) => void
}

export function startIdleNotice({ app, onError }: IdleNoticeOptions): IdleNotice {
  const nextAt = async () => nextNoticeAt(await app.cache.read(), app.now())
  const loop = startLoop({
    pauseAfterErrorMs: SECOND_MS,
    onError,
    async round() {
      let next = await nextAt()
      if (next !== null && next <= app.now()) {
        await app.writer.run(giveNotices)
        next = await nextAt()
      }
      return next === null ? MINUTE_MS : Math.max(MINIMUM_PAUSE_MS, next - app.now())
    },
  })
  return { ...loop, noticed: ({ log }) => (log.length > 0 ? loop.poke() : undefined) }
}

/** Where a notice is due and nobody is left to be told, it is not asked for at full speed. */
const MINIMUM_PAUSE_MS = 50
