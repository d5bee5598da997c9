/**
 * A loop that makes the world match the store: it runs when poked and when its own next time has come, one round at a
 * time, and stops when told. A round that throws is reported and tried again after a pause.
 */
import { outsideOfTraces } from '../tracing.ts'

export interface Loop {
  /** Runs a round soon; while one runs, another follows it. */
  poke(): void
  /** No round begins any more; resolves when the one in hand has ended. */
  stop(): Promise<void>
}

export interface LoopOptions {
  /** One round; @returns in how many ms the next one is due, at the latest. */
  readonly round: () => Promise<number>
  readonly onError: (error: unknown) => void
  readonly pauseAfterErrorMs: number
}

/** Longest sleep of a timer in one go; a due time further away is looked at again. */
const MAX_SLEEP_MS = 60_000
/** Between a round and the next: under load, what many commits poke for is done in one. */
const REST_MS = 20

export function startLoop({ round, onError, pauseAfterErrorMs }: LoopOptions): Loop {
  let timer: NodeJS.Timeout | null = null
  let running: Promise<void> | null = null
  let poked = false
  let stopped = false
  let restsUntil = 0

  const sleep = (ms: number): void => {
    if (timer !== null) clearTimeout(timer)
    // Whoever pokes is not whose work the round is.
    timer = setTimeout(() => outsideOfTraces(run), Math.min(MAX_SLEEP_MS, Math.max(0, ms)))
  }

  const run = (): void => {
    if (timer !== null) clearTimeout(timer)
    timer = null
    poked = false
    running = once().then((nextInMs) => {
      running = null
      restsUntil = performance.now() + REST_MS
      if (!stopped) sleep(poked ? REST_MS : nextInMs)
    })
  }

  const once = async (): Promise<number> => {
    try {
      return await round()
    } catch (error) {
      onError(error)
      return pauseAfterErrorMs
    }
  }

  run()
  return {
    poke() {
      if (poked || stopped) return
      poked = true
      if (running === null) sleep(restsUntil - performance.now())
    },
    async stop() {
      stopped = true
      if (timer !== null) clearTimeout(timer)
      await running
    },
  }
}
