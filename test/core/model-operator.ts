/**
 * An operator as a model: lists that lag, answers that are lost, effects that come late, half, or not at all, builds that
 * fail. What befalls it is read from dice; once they are used up, nothing goes wrong any more.
 */
import { parseNodeName } from '../../shared/ids.ts'
import type { ProviderNode } from '../../shared/provider.ts'
import { ProviderError } from '../../shared/provider-error.ts'
import type { EpochMs } from '../../shared/time.ts'

/** Values from 0 to 99: small ones are misfortunes. */
export interface Dice {
  roll(): number
  /** How often it was rolled: as many points are there at which something may go wrong. */
  readonly rolls: number
  readonly usedUp: boolean
}

export function diceOf(values: readonly number[]): Dice {
  let at = 0
  return {
    roll() {
      at += 1
      return values[at - 1] ?? 99
    },
    get rolls() {
      return at
    },
    get usedUp() {
      return at >= values.length
    },
  }
}

/** The broker died here. */
export class Crash extends Error {
  override readonly name = 'Crash'
}

interface Made {
  readonly id: string
  readonly name: string
  readonly madeAt: EpochMs
  readonly listedFrom: EpochMs
  readonly readyAt: EpochMs
  readonly fails: boolean
  goneAt: EpochMs | null
  listedUntil: EpochMs | null
  inFabric: boolean
}

export interface ModelOperator {
  now: EpochMs
  /** Every name that it was ever asked to build, as often as it built it. */
  readonly built: readonly string[]
  /** The most that ever were up or coming at once: not failed, and not on their way out. */
  readonly peak: number
  /** Those that exist: names, whatever lists show. */
  standing(): string[]
  list(): ProviderNode[]
  /** @throws ProviderError as an adapter does; Crash when the broker dies while it waits */
  create(group: { readonly name: string; readonly size: number }): void
  /** @throws ProviderError */
  remove(ids: readonly string[]): void
  join(ids: readonly string[]): void
  leave(): void
}

const BOOT_MS = 3_000
/** As long as the deadline of a call lets it take, and more. */
const SLOW_CALL_MS = 40_000

export function modelOperator(dice: Dice, visibilityDelayMs: number): ModelOperator {
  const made: Made[] = []
  const built: string[] = []
  let peak = 0
  const part = (whole: number): number => Math.floor((whole * (99 - dice.roll())) / 99)
  const exists = (node: Made): boolean =>
    node.madeAt <= operator.now && (node.goneAt === null || node.goneAt > operator.now)

  /** Later than the answer by at most what the visibility delay allows: late and lagging together. */
  function make(name: string, lateMs: number): void {
    const madeAt = operator.now + lateMs
    built.push(name)
    made.push({
      id: `id-${made.length}`,
      name,
      madeAt,
      listedFrom: madeAt + part(visibilityDelayMs - lateMs),
      readyAt: madeAt + BOOT_MS,
      fails: dice.roll() < 4,
      goneAt: null,
      listedUntil: null,
      inFabric: false,
    })
  }

  function makeGroup(name: string, count: number): void {
    const lateMs = part(visibilityDelayMs)
    for (let n = 1; n <= count; n += 1) make(`${name}-${n}`, lateMs)
    peak = Math.max(peak, made.filter((node) => node.goneAt === null && !hasFailed(node, operator.now)).length)
  }

  const operator: ModelOperator = {
    now: Date.parse('2027-01-04T10:00:00Z'),
    built,
    get peak() {
      return peak
    },
    standing: () => made.filter(exists).map((node) => node.name),
    list: () =>
      made
        .filter(({ listedFrom, listedUntil }) => listedFrom <= operator.now && (listedUntil ?? Infinity) > operator.now)
        .map((node) => viewOf(node, operator.now)),
    create({ name, size }) {
      const fate = dice.roll()
      operator.now += part(SLOW_CALL_MS) // the effect is at the end of the call, or after it
      if (fate < 10) throw failure('throttled', 'none')
      if (fate < 20) throw failure('unreachable', 'maybe') // lost on its way there
      if (fate < 30) makeGroup(name, part(size))
      else makeGroup(name, size)
      if (fate < 25) throw failure('unreachable', 'maybe') // part of it done, the answer lost
      if (fate < 40 && fate >= 30) throw failure('malformed', 'maybe') // all of it done, the answer lost
      if (fate < 45 && fate >= 40) throw new Crash('while it waited for an answer')
    },
    remove(ids) {
      const fate = dice.roll()
      if (fate < 10) throw failure('unreachable', 'maybe')
      for (const node of made) {
        if (!ids.includes(node.id) || node.goneAt !== null) continue
        if (dice.roll() < 10) continue // acknowledged and not done
        node.goneAt = operator.now + part(2_000)
        node.listedUntil = node.goneAt + part(visibilityDelayMs)
      }
      if (fate < 20) throw failure('unreachable', 'maybe')
    },
    join(ids) {
      if (dice.roll() < 20) throw failure('busy', 'none')
      for (const node of made) node.inFabric = ids.includes(node.id)
    },
    leave() {
      if (dice.roll() < 20) throw failure('busy', 'none')
      for (const node of made) node.inFabric = false
    },
  }
  return operator
}

const failure = (kind: 'throttled' | 'unreachable' | 'malformed' | 'busy', effect: 'none' | 'maybe') =>
  new ProviderError(kind, 'as the dice fell', { effect })

const hasFailed = (node: Made, now: EpochMs): boolean => node.fails && now >= node.readyAt

function viewOf(node: Made, now: EpochMs): ProviderNode {
  if (parseNodeName(node.name) === null) throw new Error(`${node.name} is no name of a node`)
  const up = hasFailed(node, now) ? 'failed' : now < node.readyAt ? 'building' : 'ready'
  const state = node.goneAt === null ? up : 'deleting'
  return {
    providerInstanceId: node.id,
    name: node.name,
    owner: null,
    clusterId: 'alpha',
    state,
    inFabric: node.inFabric,
    address: '10.0.0.1',
    createdAt: node.madeAt,
    failure: state === 'failed' ? { code: null, message: 'it does not start', kind: 'fault' } : null,
  }
}
