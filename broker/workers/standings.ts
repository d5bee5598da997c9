/** Keeps the order in which organisations are served up to date: when somebody comes to wait or starts, and every minute. */
import { MINUTE_MS, SECOND_MS } from '../../shared/time.ts'
import type { App } from '../app/app.ts'
import { orderOrganizations } from '../app/order-organizations.ts'
import type { Changes } from '../store/changes.ts'
import { type Loop, startLoop } from './loop.ts'

export interface StandingsWorker extends Loop {
  /** To be called after each commit: pokes where it may change who is served first. */
  noticed(changes: Changes): void
}

export function startStandings(app: App, onError: (error: unknown) => void): StandingsWorker {
  const loop = startLoop({
    pauseAfterErrorMs: SECOND_MS,
    onError,
    async round() {
      await orderOrganizations(app)
      return MINUTE_MS
    },
  })
  return { ...loop, noticed: (changes) => (mayChangeOrder(changes) ? loop.poke() : undefined) }
}

const mayChangeOrder = ({ log }: Changes): boolean =>
  log.some(({ op }) => op.op === 'wait' || (op.op === 'reserve' && op.reservation.phase === 'running'))
