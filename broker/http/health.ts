/** `/livez` and `/readyz`: whether the process runs, and whether it may be sent requests. */
import type { RequestHandler } from 'express'
import { SECOND_MS } from '../../shared/time.ts'
import { SUCCESS_STATUS, readinessStatus } from './problem.ts'
import { sendJson } from './send.ts'

export interface Readiness {
  readonly ok: boolean
  /** What was looked at and how it was found, such as `{database: 'ok'}`. Shown without a token: no secrets. */
  readonly checks: Readonly<Record<string, string>>
}

/** Whoever probes has given up by then. */
const READY_TIMEOUT_MS = 3 * SECOND_MS

export const live: RequestHandler = (_request, response) => sendJson(response, SUCCESS_STATUS.ok, { status: 'ok' })

export function readiness(ready: () => Promise<Readiness>, onFailure: (cause: unknown) => void): RequestHandler {
  return async (_request, response) => {
    const { ok, checks } = await withinTime(ready()).catch((cause: unknown): Readiness => {
      onFailure(cause)
      return { ok: false, checks: { readiness: 'failed' } }
    })
    sendJson(response, readinessStatus(ok), { status: ok ? 'ok' : 'unavailable', checks })
  }
}

function withinTime(looking: Promise<Readiness>): Promise<Readiness> {
  const { promise, resolve } = Promise.withResolvers<Readiness>()
  const late = { ok: false, checks: { readiness: `no answer in ${READY_TIMEOUT_MS} ms` } }
  const timer = setTimeout(() => resolve(late), READY_TIMEOUT_MS)
  return Promise.race([looking, promise]).finally(() => clearTimeout(timer))
}
