/** How a simulated operator deviates from its best day: what `PUT /_sandbox/behaviour` sets. */
import { z } from 'zod'

const Milliseconds = z.number().min(0)

/**
 * Members that are null are at their default. What a knob means in an operator's own words (which refusal, which failed
 * state) is that operator's business.
 */
export interface Behaviour {
  /** New nodes are missing from lists and detail for so long. Default 0. */
  listLagMs: number
  /** The next n deletions are acknowledged and not done; `true`: all of them. Default 0. */
  deleteLies: number | boolean
  /** The next n builds end in the operator's failed state. Default 0. */
  buildFails: number
  /** How many nodes are free when it is set: later builds take from them, deletions give back. Null is unlimited. */
  freeNodes: number | null
  /** How many nodes the account may have at once; null is unlimited. */
  quotaNodes: number | null
  /** Life of a token issued from now on; null is the operator's own. */
  tokenTtlMs: number | null
  /** Accepted to ready; null is the sandbox's setting. */
  bootMs: number | null
  /** Deletion asked to gone; null scales with `bootMs`. */
  stopMs: number | null
  /** Change of an interconnect group; null scales with `bootMs`. */
  fabricMs: number | null
  /** Calls per second, and as many at once; null is the sandbox's setting. */
  ratePerSecond: number | null
  /** NHN: whether members of a batch are called `name-1` (`dash`) or `name1` (`plain`). */
  batchSuffix: 'dash' | 'plain'
  /** NHN: whether a quota refusal is `403 forbidden` or `413 overLimit`. */
  quotaStatus: 403 | 413
  /** NHN: whether `imageRef` without a block device mapping, and a local root disk, are refused. */
  blockDeviceRule: 'strict' | 'lenient'
  /** NHN: how a service refuses a token. */
  unauthorizedForm: 'json' | 'text'
}

export const bestDay = (): Behaviour => ({
  listLagMs: 0,
  deleteLies: 0,
  buildFails: 0,
  freeNodes: null,
  quotaNodes: null,
  tokenTtlMs: null,
  bootMs: null,
  stopMs: null,
  fabricMs: null,
  ratePerSecond: null,
  batchSuffix: 'dash',
  quotaStatus: 403,
  blockDeviceRule: 'strict',
  unauthorizedForm: 'json',
})

/** The body of `PUT /_sandbox/behaviour`: members given are set, null sets one back, `{}` sets all back. */
export const BehaviourChange = z.strictObject({
  listLagMs: Milliseconds.nullable().optional(),
  deleteLies: z
    .union([z.int().min(0), z.boolean()])
    .nullable()
    .optional(),
  buildFails: z.int().min(0).nullable().optional(),
  freeNodes: z.int().min(0).nullable().optional(),
  quotaNodes: z.int().min(0).nullable().optional(),
  tokenTtlMs: Milliseconds.nullable().optional(),
  bootMs: Milliseconds.nullable().optional(),
  stopMs: Milliseconds.nullable().optional(),
  fabricMs: Milliseconds.nullable().optional(),
  ratePerSecond: z.number().positive().nullable().optional(),
  batchSuffix: z.enum(['dash', 'plain']).nullable().optional(),
  quotaStatus: z
    .union([z.literal(403), z.literal(413)])
    .nullable()
    .optional(),
  blockDeviceRule: z.enum(['strict', 'lenient']).nullable().optional(),
  unauthorizedForm: z.enum(['json', 'text']).nullable().optional(),
})

/** Changes `behaviour` in place, because the operator holds on to that one object. */
export function changeBehaviour(behaviour: Behaviour, change: z.infer<typeof BehaviourChange>): void {
  const best = bestDay()
  const given = Object.entries(change).filter(([, value]) => value !== undefined)
  if (given.length === 0) Object.assign(behaviour, best)
  for (const [key, value] of given) Object.assign(behaviour, { [key]: value ?? best[key as keyof Behaviour] }) // keys were checked by the schema
}

/** Whether this build is one of those that shall fail; counts it. */
export function takeBuildFailure(behaviour: Behaviour): boolean {
  if (behaviour.buildFails <= 0) return false
  Object.assign(behaviour, { buildFails: behaviour.buildFails - 1 })
  return true
}

/** Whether this deletion is one of those that are acknowledged and not done; counts it. */
export function takeDeleteLie(behaviour: Behaviour): boolean {
  const { deleteLies } = behaviour
  if (typeof deleteLies === 'boolean') return deleteLies
  if (deleteLies <= 0) return false
  Object.assign(behaviour, { deleteLies: deleteLies - 1 })
  return true
}
