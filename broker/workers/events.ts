/**
 * Keeps the tail of events up to date for who reads along: at once after a commit of this replica, and within a second
 * after one of another. Asking the database is cheap and cannot be missed, which a notification can.
 */
import { MINUTE_MS, SECOND_MS } from '../../shared/time.ts'
import type { App } from '../app/app.ts'
import { createEventTail, type EventTail } from '../app/event-tail.ts'
import type { Metrics } from '../metrics.ts'
import { startLoop } from './loop.ts'

export interface EventFeed extends Pick<EventTail, 'open' | 'readers'> {
  /** Ends all streams, so that a server can close; resolves when nothing is read any more. */
  stop(): Promise<void>
}

export interface EventFeedOptions {
  readonly app: App
  readonly metrics: Metrics
  readonly onError: (error: unknown) => void
}

const POLL_MS = SECOND_MS / 2

export function startEventFeed({ app, metrics, onError }: EventFeedOptions): EventFeed {
  const tail = createEventTail({
    database: app.database,
    installationId: app.installationId,
    onOpened: () => loop.poke(),
    onRead: (writtenAt) => metrics.eventLagSeconds.observe(Math.max(0, app.now() - writtenAt) / SECOND_MS),
  })
  const loop = startLoop({
    pauseAfterErrorMs: SECOND_MS,
    onError,
    async round() {
      await tail.refresh()
      // With the embedded database there is no other replica.
      return app.database.engine === 'pglite' || tail.readers() === 0 ? MINUTE_MS : POLL_MS
    },
  })
  app.writer.onCommit(({ events }) => {
    if (events.length > 0 && tail.readers() > 0) loop.poke()
  })
  return {
    open: tail.open,
    readers: tail.readers,
    stop() {
      tail.close()
      return loop.stop()
    },
  }
}
