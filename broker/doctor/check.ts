/** One thing that `doctor` has looked at. */
export interface Examined {
  /** What was looked at: `database`, a provider’s id, a cluster’s id. */
  readonly of: string
  readonly check: string
  /** `warn`: it works, and somebody should know. */
  readonly state: 'ok' | 'warn' | 'fail'
  readonly found: string
  /** What to do about it; null where nothing is to be done. */
  readonly advice: string | null
}

export const ok = (of: string, check: string, found: string): Examined => ({
  of,
  check,
  state: 'ok',
  found,
  advice: null,
})

export const warn = (of: string, check: string, found: string, advice: string): Examined => ({
  of,
  check,
  state: 'warn',
  found,
  advice,
})

export const fail = (of: string, check: string, found: string, advice: string): Examined => ({
  of,
  check,
  state: 'fail',
  found,
  advice,
})

/** What an error says in one line; never its cause, which may hold a request with its token. */
export const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Ends in time whatever it asks: nobody waits for a doctor for long. @throws the last resort’s error */
export async function withinTime<T>(work: Promise<T>, ms: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`no answer in ${ms / 1_000} s`)), ms)
  return await Promise.race([work, promise]).finally(() => clearTimeout(timer))
}
