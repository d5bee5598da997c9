/**
 * What a run does to the broker, drawn from its seed alone: which requests are made in which step, what the operators
 * suffer meanwhile, and who is killed after how many answers. What comes of it depends on the machine; what is done does
 * not, so a seed that fails can be run again.
 */
import type { OperatorId } from '../support/sandbox.ts'
import { OPERATORS } from '../durability/operators.ts'
import { type Dice, diceOf } from './dice.ts'
import { drawWeather, type Weather } from './weather.ts'

/** `of` counts the creates (or drains) of the plan from 0: what was asked for in an earlier step. */
export type Asking =
  | { readonly kind: 'create'; readonly nodes: number; readonly operator: OperatorId | null; readonly hours: number }
  | { readonly kind: 'extend'; readonly of: number; readonly hours: number }
  | { readonly kind: 'shrink'; readonly of: number; readonly byNodes: number }
  | { readonly kind: 'release'; readonly of: number }
  | { readonly kind: 'drain'; readonly cluster: number; readonly nodes: number; readonly hours: number }
  | { readonly kind: 'suspend' | 'resume'; readonly cluster: number }
  | { readonly kind: 'freeze' | 'unfreeze'; readonly operator: OperatorId | null }

export interface Crash {
  readonly what: 'replica' | 'database'
  /** Which replica. */
  readonly index: number
  /** After so many of the step's requests were answered … */
  readonly afterAnswers: number
  /** … and then as much later: the instant of the kill is what is random here. */
  readonly pauseMs: number
}

export interface Step {
  readonly weather: Readonly<Record<OperatorId, Weather>>
  readonly askings: readonly Asking[]
  readonly crash: Crash | null
  /** How long the broker is left alone with what it has to do. */
  readonly restMs: number
}

export interface PlanOptions {
  readonly seed: number
  readonly clusters: number
  readonly replicas: number
  /** Whether there is a PostgreSQL that can be killed. */
  readonly databaseCrashes: boolean
  /** In which of the first steps an operator may swallow calls: each costs the rest of a call's deadline. */
  readonly silentSteps: number
}

const MOST_NODES = 12

/** @returns step by step without an end of its own: the caller takes as many as it has time for */
export function* drawPlan(options: PlanOptions): Generator<Step, never> {
  const dice = diceOf(options.seed)
  let creates = 0
  let frozen: OperatorId | null | undefined
  for (let index = 0; ; index += 1) {
    const askings: Asking[] = []
    // Whoever holds the broker's hands lets go of them one step later.
    if (frozen !== undefined) askings.push({ kind: 'unfreeze', operator: frozen })
    frozen = undefined
    const wanted = dice.between(3, 7)
    while (askings.length < wanted) {
      const asking = drawAsking(dice, { creates, clusters: options.clusters })
      if (asking.kind === 'freeze') frozen = asking.operator
      askings.push(asking)
    }
    creates += askings.filter(({ kind }) => kind === 'create').length
    const weatherOf = (): Weather => drawWeather(dice, index < options.silentSteps)
    yield {
      askings,
      weather: { naver: weatherOf(), nhn: weatherOf(), kakao: weatherOf() },
      crash: drawCrash(dice, askings.length, options),
      restMs: dice.between(200, 1_800),
    }
  }
}

function drawAsking(
  dice: Dice,
  { creates, clusters }: { readonly creates: number; readonly clusters: number },
): Asking {
  const draw = dice.between(1, 100)
  if (creates === 0 || draw <= 45) {
    return {
      kind: 'create',
      nodes: dice.between(1, MOST_NODES),
      operator: dice.happens(0.7) ? dice.one(OPERATORS) : null,
      hours: dice.between(1, 72),
    }
  }
  const of = dice.between(Math.max(0, creates - 12), creates - 1)
  if (draw <= 68) return { kind: 'release', of }
  if (draw <= 76) return { kind: 'extend', of, hours: dice.between(1, 48) }
  if (draw <= 86) return { kind: 'shrink', of, byNodes: dice.between(1, 4) }
  const cluster = dice.between(0, clusters - 1)
  if (draw <= 91) return { kind: 'drain', cluster, nodes: dice.between(1, 6), hours: dice.between(1, 24) }
  if (draw <= 94) return { kind: 'suspend', cluster }
  if (draw <= 97) return { kind: 'resume', cluster }
  return { kind: 'freeze', operator: dice.happens(0.7) ? dice.one(OPERATORS) : null }
}

function drawCrash(
  dice: Dice,
  askings: number,
  { replicas, databaseCrashes }: Pick<PlanOptions, 'replicas' | 'databaseCrashes'>,
): Crash | null {
  if (!dice.happens(0.35)) return null
  return {
    what: databaseCrashes && dice.happens(0.4) ? 'database' : 'replica',
    index: dice.between(0, replicas - 1),
    afterAnswers: dice.between(0, askings),
    pauseMs: dice.between(0, 700),
  }
}
