/** What the broker listens on: the API on one port, metrics on another. */
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import { SECOND_MS } from '../../shared/time.ts'
import { type Config, ConfigError } from '../config.ts'
import { createAuthenticator } from '../http/auth.ts'
import { metricsListener } from '../http/metrics.ts'
import { createNodeServer } from '../http/node-server.ts'
import { createServer } from '../http/server.ts'
import type { UseCases } from '../http/use-cases.ts'
import type { Metrics } from '../metrics.ts'
import type { Settings } from '../settings.ts'
import { isPassing } from '../store/away.ts'
import type { Database } from '../store/database.ts'
import { pingDatabase } from '../store/head.ts'

export interface ApiOptions {
  readonly config: Config
  readonly settings: Settings
  readonly logger: Logger
  readonly metrics: Metrics
  readonly database: Database
  readonly useCases: UseCases
  readonly isLeaving: () => boolean
}

export function listenForApi(options: ApiOptions): Promise<Server> {
  const { config, settings, logger, metrics, database, useCases, isLeaving } = options
  const now = Date.now
  const authenticate = createAuthenticator({
    ...settings.oidc,
    allowInsecureLoopback: settings.oidc.issuer.startsWith('http:'), // the configuration lets only loopback through
    now,
    onFailure: (error) => logger.warn({ err: error }, 'the issuer of tokens did not answer'),
  })
  const api = createServer({
    useCases,
    authenticate,
    ready: async () => {
      if (isLeaving()) return { ok: false, checks: { shutdown: 'leaving' } }
      await pingDatabase(database.queries)
      // Tokens are verified with known keys while it is away: told, and no reason to be sent nothing.
      return { ok: true, checks: { database: 'ok', migrations: 'applied', issuer: authenticate.issuer() } }
    },
    logger,
    now,
    isPassing,
    limits: { maxInFlight: config.MAX_IN_FLIGHT, ratePerSecond: config.RATE_LIMIT_PER_SECOND },
    onAnswered: ({ route, method, status, durationMs, traceId }) =>
      metrics.requestSeconds.observe({ route: route ?? 'none', method, status }, durationMs / SECOND_MS, traceId),
    onRejected: (reason) => metrics.requestsRejected.inc({ reason }),
  })
  return listen(createNodeServer(api), { port: config.PORT, host: config.HOST, member: 'PORT' })
}

/** @param refresh brings up to date what is only set when somebody looks */
export const listenForScrapes = (config: Config, metrics: Metrics, refresh: () => Promise<void>): Promise<Server> =>
  listen(createNodeServer(metricsListener(metrics, refresh)), {
    port: config.METRICS_PORT,
    host: config.HOST,
    member: 'METRICS_PORT',
  })

/**
 * Connections that wait to be taken. Node takes one in each turn of its loop, and on a crowded machine turns are long: what
 * does not fit is not refused but cut off, after it seemed to be open. The system's own limit, mostly 4096, holds as well.
 */
const BACKLOG = 4_096

function listen(server: Server, at: { port: number; host: string; member: string }): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new ConfigError(`${at.member}: ${at.host}:${at.port} cannot be listened on (${error.code ?? error.message})`),
      ),
    )
    server.listen({ port: at.port, host: at.host, backlog: BACKLOG }, () => resolve(server))
  })
}

export function urlOf(server: Server): string {
  const { address, port, family } = server.address() as AddressInfo // it listens on a port, not on a pipe
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}
