/** What one operator suffers during one step: faults on the way of its answers, and a behaviour that is not its best. */
import type { Dice } from './dice.ts'

export interface Weather {
  /** For `PUT /_sandbox/faults`. */
  readonly faults: readonly object[]
  /** For `PUT /_sandbox/behaviour`: all that is not named is at its default. */
  readonly behaviour: Readonly<Record<string, number>>
  /** Added to the operator's clock. Never back: what it builds would take as much longer. */
  readonly clockStepMs: number
  /** What of all that has a name, for the summary. */
  readonly classes: readonly string[]
}

/** Lists lag by less than the broker is told (`VISIBILITY_DELAY_MS`): how long they may is part of the contract. */
export const VISIBILITY_DELAY_MS = 400
/** A call that is held up for longer than this may have effect after its asker was killed and a list was believed. */
const LONGEST_DELAY_MS = VISIBILITY_DELAY_MS - 100

const MATCHES = [{}, { method: 'GET' }, { method: 'POST' }, { method: 'DELETE' }]

/** A black hole swallows a call until its deadline, half a minute later: `mayBeSilent` keeps it out of short runs' ends. */
const FAULTS: Readonly<Record<string, (dice: Dice) => object>> = {
  'drop-before': () => ({ effect: 'drop-before' }),
  'drop-after': () => ({ effect: 'drop-after' }),
  'reset-before': () => ({ effect: 'reset-before' }),
  'reset-after': () => ({ effect: 'reset-after' }),
  'black-hole': () => ({ effect: 'black-hole' }),
  delay: (dice) => ({ effect: 'delay', delayMs: dice.between(50, LONGEST_DELAY_MS) }),
  'slow-drip': (dice) => ({ effect: 'slow-drip', delayMs: dice.between(100, 1_500) }),
  '429': () => ({ effect: 'status', status: 429, headers: { 'retry-after': '1' } }),
  '500': () => ({ effect: 'status', status: 500, body: 'not today' }),
  '503': () => ({ effect: 'status', status: 503 }),
  malformed: () => ({ effect: 'malformed' }),
}

const BEHAVIOURS: Readonly<Record<string, (dice: Dice) => Readonly<Record<string, number>>>> = {
  'expired token': (dice) => ({ tokenTtlMs: dice.between(200, 1_000) }),
  'lagging list': (dice) => ({ listLagMs: dice.between(50, VISIBILITY_DELAY_MS - 50) }),
  'delete lies': (dice) => ({ deleteLies: dice.between(1, 3) }),
  'failed build': (dice) => ({ buildFails: dice.between(1, 2) }),
  'no free nodes': (dice) => ({ freeNodes: dice.between(0, 4) }),
  'no quota': (dice) => ({ quotaNodes: dice.between(0, 8) }),
  'slow build': (dice) => ({ bootMs: dice.between(200, 1_500) }),
  'low rate': (dice) => ({ ratePerSecond: dice.between(10, 40) }),
}

const CLOCK = 'clock skew'

/** All that can be drawn, so that a summary shows what was not. */
export const CLASSES: readonly string[] = [...Object.keys(FAULTS), ...Object.keys(BEHAVIOURS), CLOCK]

export const BEST_DAY: Weather = { faults: [], behaviour: {}, clockStepMs: 0, classes: [] }

export function drawWeather(dice: Dice, mayBeSilent: boolean): Weather {
  if (dice.happens(0.2)) return BEST_DAY
  const names = Object.keys(FAULTS).filter((name) => mayBeSilent || name !== 'black-hole')
  const drawn = Array.from({ length: dice.between(1, 4) }, () => dice.one(names))
  const faults = drawn.map((name) => ({ match: dice.one(MATCHES), times: dice.between(1, 3), ...FAULTS[name]?.(dice) }))
  const moods = Array.from({ length: dice.between(0, 2) }, () => dice.one(Object.keys(BEHAVIOURS)))
  const behaviour = Object.assign({}, ...moods.map((name) => BEHAVIOURS[name]?.(dice))) as Record<string, number>
  const isSkewed = dice.happens(0.15)
  return {
    faults,
    behaviour,
    clockStepMs: isSkewed ? dice.between(60_000, 400_000) : 0,
    classes: [...drawn, ...moods, ...(isSkewed ? [CLOCK] : [])],
  }
}
