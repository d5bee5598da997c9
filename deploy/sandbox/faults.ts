/** What goes wrong between a client and a simulated operator: what `PUT /_sandbox/faults` sets. */
import { z } from 'zod'

export const FAULT_EFFECTS = [
  'drop-before', // the connection is closed and nothing was done
  'drop-after', // done, and the connection is closed without an answer
  'reset-before', // as drop-before, with a TCP reset
  'reset-after', // as drop-after, with a TCP reset
  'black-hole', // neither done nor answered; the connection stays open
  'delay', // after `delayMs` done and answered, whether or not the client still waits
  'slow-drip', // done, and answered in small pieces over `delayMs`
  'status', // not done; answered with `status`, `body`, `headers`
  'malformed', // done, and answered 200 with a body (`body`) that cannot be parsed
] as const

const isRegExp = (text: string): boolean => {
  try {
    return new RegExp(text) instanceof RegExp
  } catch {
    return false
  }
}

export const Fault = z.strictObject({
  match: z
    .strictObject({
      method: z.string().optional(),
      /** A regular expression, searched for in the path of the request target as transmitted. */
      path: z.string().refine(isRegExp, 'must be a regular expression').optional(),
    })
    .default({}),
  /** How often it strikes; without it (and without `probability`) always. */
  times: z.int().min(1).optional(),
  /** 0…1, drawn from a generator whose seed is fixed when the list is put. */
  probability: z.number().min(0).max(1).optional(),
  effect: z.enum(FAULT_EFFECTS),
  status: z.int().min(200).max(599).optional(),
  /** A text as it is; anything else as JSON. */
  body: z.unknown().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  delayMs: z.number().min(0).max(600_000).optional(),
})
export type Fault = z.infer<typeof Fault>

export const FaultList = z.array(Fault).max(100)

export interface FaultPlan {
  /** Replaces the list and starts the generator afresh. */
  set(faults: readonly Fault[]): void
  /** The first fault of the list that strikes this request, or null; counts it. */
  strike(method: string, path: string): Fault | null
  /** What is still to strike. */
  list(): Fault[]
}

const SEED = 20_261_123

export function planFaults(): FaultPlan {
  let planned: { readonly fault: Fault; left: number }[] = []
  let random = seededRandom(SEED)
  return {
    set(faults) {
      planned = faults.map((fault) => ({ fault, left: fault.times ?? Number.POSITIVE_INFINITY }))
      random = seededRandom(SEED)
    },
    strike(method, path) {
      for (const entry of planned) {
        if (entry.left === 0 || !matches(entry.fault, method, path)) continue
        if (entry.fault.probability !== undefined && random() >= entry.fault.probability) continue
        entry.left -= 1
        return entry.fault
      }
      return null
    },
    list: () =>
      planned
        .filter((entry) => entry.left > 0)
        .map(({ fault, left }) => (fault.times === undefined ? fault : { ...fault, times: left })),
  }
}

function matches({ match }: Fault, method: string, path: string): boolean {
  if (match.method !== undefined && match.method.toUpperCase() !== method) return false
  return match.path === undefined || new RegExp(match.path).test(path)
}

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
