/**
 * A metric as data: what it is called, what it says, and where to look when it says something. `broker/metrics.ts` makes
 * it count, and `docs/metrics.md` is written from it.
 */

export type Unit = 'seconds' | 'nodes' | 'requests' | 'allocations' | 'calls' | 'events' | 'per second' | 'one' | 'none'

export interface Definition<Type extends string = string, Label extends string = string> {
  readonly type: Type
  /** By Prometheus' conventions: prefix `gpu_broker_`, base unit and `_total` at the end where they belong. */
  readonly name: string
  readonly help: string
  readonly unit: Unit
  /** Bounded sets, never ids of rows. */
  readonly labels: readonly Label[]
  /** What to look at when it is not as it should be. */
  readonly next: string
  /** Of a histogram. */
  readonly buckets?: readonly number[]
}

type Spec<Label extends string> = Omit<Definition<string, Label>, 'type' | 'labels'> & {
  readonly labels?: readonly Label[]
}

const of =
  <Type extends string>(type: Type) =>
  <const Label extends string = never>({ labels = [], ...spec }: Spec<Label>): Definition<Type, Label> => ({
    ...spec,
    type,
    labels,
  })

export const counter = of('counter')
export const gauge = of('gauge')
export const histogram = of('histogram')
/** A histogram whose buckets remember, in OpenMetrics, the trace of what last fell into them. */
export const tracedHistogram = of('traced histogram')

/** For what should take milliseconds. */
export const QUICK_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5] as const
/** For what operators take their time with. */
export const PATIENT_SECONDS = [1, 5, 10, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200] as const
