/**
 * A circuit breaker as the broker needs it, over opossum: one of several on several replicas that go by one state.
 * Deadlines stay with each call: opossum's own time-out aborts every call of the breaker at once, and does not end the
 * request that it gave up on.
 */
import CircuitBreaker from 'opossum'
import type { CircuitState } from '../../shared/cluster.ts'
import { ProviderError } from '../../shared/provider-error.ts'

export interface Circuit {
  /** @throws ProviderError `unreachable` with effect `none` and code `CIRCUIT_OPEN` while it is open */
  run<T>(call: () => Promise<T>): Promise<T>
  state(): CircuitState
  /** Follows what another replica has found out; `onChange` is not called. */
  adopt(state: 'open' | 'closed'): void
  close(): void
}

export interface CircuitOptions {
  readonly name: string
  /** How long it stays open before one real call is let through. */
  readonly resetMs: number
  /** What an error says of the provider: that it is ill, that it is well, or (our own doing) neither. */
  readonly verdict: (error: unknown) => Verdict
  /** Whether this replica may try, once the pause is over; asked before each call until the circuit is closed. */
  readonly mayTry: () => Promise<boolean>
  /** Found out here: to be told to the others. */
  readonly onChange: (state: CircuitState) => void
  /** Each new state, adopted ones included. */
  readonly onState: (state: CircuitState) => void
}

export type Verdict = 'ill' | 'well' | 'neither'

/** Longer than a call's deadline, or calls that are never answered would have left the window before they fail. */
const WINDOW_MS = 60_000
/** Below this many calls in the window, a failure rate is noise. */
const MIN_CALLS = 5
const FAILURE_PERCENT = 50

export function createCircuit({ name, resetMs, verdict, mayTry, onChange, onState }: CircuitOptions): Circuit {
  const breaker: CircuitBreaker<[() => Promise<unknown>]> = new CircuitBreaker(
    (call: () => Promise<unknown>) => call(),
    {
      name,
      timeout: false,
      resetTimeout: resetMs,
      rollingCountTimeout: WINDOW_MS,
      volumeThreshold: MIN_CALLS,
      errorThresholdPercentage: FAILURE_PERCENT,
      // What says neither must not close a circuit that is being tried.
      errorFilter: (error: unknown) => verdict(error) === 'well' || (verdict(error) === 'neither' && !breaker.halfOpen),
    },
  )
  let adopting = false
  const changed = (state: CircuitState) => (): void => {
    onState(state)
    if (!adopting) onChange(state)
  }
  breaker.on('open', changed('open'))
  breaker.on('halfOpen', changed('half-open'))
  breaker.on('close', changed('closed'))
  return {
    async run<T>(call: () => Promise<T>): Promise<T> {
      // Not left to opossum: what it rejects counts as a call in its window.
      if (breaker.opened || (breaker.halfOpen && !(await mayTry()))) throw circuitOpen(name, resetMs)
      try {
        return (await breaker.fire(call)) as T
      } catch (error) {
        throw isOpenRejection(error) ? circuitOpen(name, resetMs) : error
      }
    },
    state: () => (breaker.opened ? 'open' : breaker.halfOpen ? 'half-open' : 'closed'),
    adopt(state) {
      adopting = true
      if (state === 'open') breaker.open()
      else breaker.close()
      adopting = false
    },
    close: () => breaker.shutdown(),
  }
}

const isOpenRejection = (error: unknown): boolean =>
  error instanceof Error && (error as NodeJS.ErrnoException).code === 'EOPENBREAKER'

const circuitOpen = (name: string, resetMs: number) =>
  new ProviderError('unreachable', `the circuit ${name} is open`, {
    effect: 'none',
    code: 'CIRCUIT_OPEN',
    retryAfterMs: resetMs,
  })
