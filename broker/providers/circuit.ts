/**
 * A circuit breaker as the broker needs it, over opossum. Deadlines stay with each call: opossum's own time-out aborts
 * every call of the breaker at once, and does not end the request that it gave up on.
 */
import CircuitBreaker from 'opossum'
import { ProviderError } from '../../shared/provider-error.ts'

export type CircuitStateName = 'closed' | 'half-open' | 'open'

export interface Circuit {
  /** @throws ProviderError `unreachable` with effect `none` and code `CIRCUIT_OPEN` while it is open */
  run<T>(call: () => Promise<T>): Promise<T>
  state(): CircuitStateName
  close(): void
}

export interface CircuitOptions {
  readonly name: string
  /** How long it stays open before one real call is let through. */
  readonly resetMs: number
  /** Whether an error says something about the provider's health (and not about our request). */
  readonly counts: (error: unknown) => boolean
  readonly onChange: (state: CircuitStateName) => void
}

const WINDOW_MS = 10_000
/** Below this many calls in the window, a failure rate is noise. */
const MIN_CALLS = 5
const FAILURE_PERCENT = 50

export function createCircuit({ name, resetMs, counts, onChange }: CircuitOptions): Circuit {
  const breaker = new CircuitBreaker<[() => Promise<unknown>]>((call) => call(), {
    name,
    timeout: false,
    resetTimeout: resetMs,
    rollingCountTimeout: WINDOW_MS,
    volumeThreshold: MIN_CALLS,
    errorThresholdPercentage: FAILURE_PERCENT,
    errorFilter: (error: unknown) => !counts(error),
  })
  breaker.on('open', () => onChange('open'))
  breaker.on('halfOpen', () => onChange('half-open'))
  breaker.on('close', () => onChange('closed'))
  return {
    async run<T>(call: () => Promise<T>): Promise<T> {
      try {
        return (await breaker.fire(call)) as T
      } catch (error) {
        throw isOpenRejection(error) ? circuitOpen(name, resetMs) : error
      }
    },
    state: () => (breaker.opened ? 'open' : breaker.halfOpen ? 'half-open' : 'closed'),
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
