/** A token bucket: so many calls per second, and as many at once after a pause. It runs on real time, not on the sandbox's clock. */
export function rateLimit(perSecond: () => number): () => boolean {
  let tokens = perSecond()
  let filledAtMs = performance.now()
  return () => {
    const rate = perSecond()
    const nowMs = performance.now()
    tokens = Math.min(Math.max(rate, 1), tokens + ((nowMs - filledAtMs) / 1_000) * rate)
    filledAtMs = nowMs
    if (tokens < 1) return false
    tokens -= 1
    return true
  }
}
