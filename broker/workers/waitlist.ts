/** Plans again for those who wait: when something freed room, when somebody joined, when a planned start is at hand, and every minute anyway. */
import { MINUTE_MS, SECOND_MS } from '../../shared/time.ts'
import type { App } from '../app/app.ts'
import type { Changes } from '../store/changes.ts'
import { nextTurn, replanWaitlist } from '../app/replan-waitlist.ts'
import { waiting } from '../core/calendar-reads.ts'
import { type Loop, startLoop } from './loop.ts'

export interface WaitlistWorker extends Loop {
  /** To be called after each commit: pokes where it may have made room for somebody. */
  noticed(changes: Changes): void
}

export interface WaitlistOptions {
  readonly app: App
  /** Aborted once the broker stops. */
  readonly signal: AbortSignal
  readonly onError: (error: unknown) => void
}

export function startWaitlist({ app, signal, onError }: WaitlistOptions): WaitlistWorker {
  const loop = startLoop({
    pauseAfterErrorMs: SECOND_MS,
    onError,
    async round() {
      const calendar = await app.cache.read()
      if (waiting(calendar).length === 0) return MINUTE_MS
      const { isPartial } = await replanWaitlist(app, { rest, isOver: () => signal.aborted })
      if (isPartial) return AFTER_JOINING_MS
      const turnAt = nextTurn(await app.cache.read(), app.now())
      return turnAt === null ? MINUTE_MS : Math.min(MINUTE_MS, Math.max(SECOND_MS, turnAt - app.now()))
    },
  })
  let joined: NodeJS.Timeout | null = null
  const pokeSoon = (): void => {
    joined ??= setTimeout(() => {
      joined = null
      loop.poke()
    }, AFTER_JOINING_MS)
  }
  return {
    ...loop,
    noticed(changes) {
      if (mayMakeRoom(changes)) loop.poke()
      else if (someoneJoined(changes)) pokeSoon()
    },
    async stop() {
      if (joined !== null) clearTimeout(joined)
      await loop.stop()
    },
  }
}

const rest = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms))

/** Whoever joins has a plan already; a better one for all together may take a second, so that many share it. */
const AFTER_JOINING_MS = SECOND_MS

const someoneJoined = ({ log }: Changes): boolean => log.some(({ op }) => op.op === 'wait')

/** Anything but taking room or a re-plan's own moves; a shortened or moved reservation is a `reserve` of a running one. */
const mayMakeRoom = ({ log }: Changes): boolean =>
  log.some(
    ({ op }) => op.op !== 'wait' && op.op !== 'unwait' && (op.op !== 'reserve' || op.reservation.phase === 'running'),
  )
