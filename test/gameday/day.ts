/** One break after another: break, wait for the alert, mend, wait until it is gone. Every wait has an end. */
import { MINUTE_MS, SECOND_MS } from '../../shared/time.ts'
import type { FiringAlert, Prometheus } from '../observability/prometheus.ts'
import type { Break } from './breaks.ts'
import type { GameWorld } from './world.ts'

export interface Outcome {
  readonly name: string
  readonly alert: string
  readonly rules: Break['rules']
  /** Null: it did not, in time. */
  readonly firedAfterMs: number | null
  readonly clearedAfterMs: number | null
  readonly runbook: string
  readonly problem: string | null
}

export interface Watching {
  readonly say: (line: string) => void
}

const FIRES_WITHIN_MS = 5 * MINUTE_MS
const CLEARS_WITHIN_MS = 5 * MINUTE_MS
const LOOK_EVERY_MS = 500
const TELL_EVERY_MS = 10 * SECOND_MS

export async function play(world: GameWorld, what: Break, { say }: Watching): Promise<Outcome> {
  const prometheus = world.watching[what.rules]
  const result = {
    name: what.name,
    alert: what.alert,
    rules: what.rules,
    firedAfterMs: null,
    clearedAfterMs: null,
    runbook: '',
  }
  let mend: () => Promise<unknown>
  try {
    await untilState(prometheus, what, { wanted: (seen) => seen === undefined, withinMs: CLEARS_WITHIN_MS, say })
    say(`${what.name} …`)
    mend = await what.break(world)
  } catch (error) {
    return { ...result, problem: `could not be broken: ${messageOf(error)}` }
  }
  const fired = await untilState(prometheus, what, {
    wanted: (seen) => seen?.state === 'firing',
    withinMs: what.mustFireWithinMs ?? FIRES_WITHIN_MS,
    say,
  }).catch((error: unknown) => messageOf(error))
  if (typeof fired !== 'string') say(`${what.name}: ${what.alert} fires after ${seconds(fired.afterMs)}`)
  try {
    await mend()
  } catch (error) {
    return { ...result, problem: `could not be mended: ${messageOf(error)}` }
  }
  if (typeof fired === 'string') return { ...result, problem: fired }
  const runbook = `docs/runbooks/${fired.alert?.annotations['runbook_url']?.split('/').at(-1) ?? ''}`
  try {
    const { afterMs } = await untilState(prometheus, what, {
      wanted: (seen) => seen?.state !== 'firing',
      withinMs: CLEARS_WITHIN_MS,
      say,
    })
    say(`${what.name}: mended, and clear after ${seconds(afterMs)}`)
    return { ...result, runbook, firedAfterMs: fired.afterMs, clearedAfterMs: afterMs, problem: null }
  } catch (error) {
    return { ...result, runbook, firedAfterMs: fired.afterMs, problem: messageOf(error) }
  }
}

interface Wanted extends Watching {
  readonly wanted: (seen: FiringAlert | undefined) => boolean
  readonly withinMs: number
}

/** @throws Error when it does not come true in time */
async function untilState(
  prometheus: Prometheus,
  { name, alert, labels }: Break,
  { wanted, withinMs, say }: Wanted,
): Promise<{ readonly afterMs: number; readonly alert: FiringAlert | undefined }> {
  const startedAt = performance.now()
  let toldAt = startedAt
  for (;;) {
    const seen = (await prometheus.alerts()).find(
      (one) =>
        one.labels['alertname'] === alert &&
        Object.entries(labels).every(([label, value]) => one.labels[label] === value),
    )
    const now = performance.now()
    if (wanted(seen)) return { afterMs: now - startedAt, alert: seen }
    if (now - startedAt > withinMs) throw new Error(`${alert} is ${seen?.state ?? 'quiet'} after ${seconds(withinMs)}`)
    if (now - toldAt > TELL_EVERY_MS) {
      toldAt = now
      say(`${name}: ${alert} is ${seen?.state ?? 'quiet'} after ${seconds(now - startedAt)}`)
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}

export const seconds = (ms: number): string => `${(ms / SECOND_MS).toFixed(0)} s`

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
