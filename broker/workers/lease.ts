/**
 * A claim is kept by renewing it while its look lasts. When that fails, because the database was away or this process
 * stood still, somebody else may hold the claim: then the look's calls end, so that never two of them ask at once.
 */
import { SECOND_MS } from '../../shared/time.ts'

/** A dead replica's work is taken over after this. */
export const LEASE_MS = 20 * SECOND_MS
const RENEW_MS = 5 * SECOND_MS
/** Calls end this long before the lease does: clocks differ a little, and a request that has left still travels. */
const MARGIN_MS = 2 * SECOND_MS

export interface Lease {
  /** Aborted when the broker stops or the claim may be somebody else's. */
  readonly signal: AbortSignal
  end(): void
}

export interface LeaseOptions {
  /** `performance.now()` before the claim was asked for. */
  readonly askedAt: number
  readonly stopping: AbortSignal
  /** @returns whether the claim still held */
  readonly renew: () => Promise<boolean>
  readonly onError: (error: unknown) => void
}

export function keepLease({ askedAt, stopping, renew, onError }: LeaseOptions): Lease {
  const lost = new AbortController()
  let expiry = expiring(askedAt, lost)
  let ended = false
  const renewal = setInterval(() => {
    const sentAt = performance.now()
    renew().then((held) => {
      if (ended) return
      if (!held) return lost.abort()
      clearTimeout(expiry)
      expiry = expiring(sentAt, lost)
    }, onError)
  }, RENEW_MS)
  return {
    signal: AbortSignal.any([stopping, lost.signal]),
    end() {
      ended = true
      clearInterval(renewal)
      clearTimeout(expiry)
    },
  }
}

const expiring = (since: number, lost: AbortController): NodeJS.Timeout =>
  setTimeout(() => lost.abort(), Math.max(0, LEASE_MS - MARGIN_MS - (performance.now() - since)))
