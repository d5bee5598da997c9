/**
 * What a game day breaks: the sandbox's operators, a broker, its database, an endpoint for its events. Two Prometheus
 * watch it: one with the rules and the pace of production, one with waits cut to seconds, for alerts that take an hour.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CloudEvent } from '../../shared/event.ts'
import { pageOf } from '../../shared/text.ts'
import { WebhookWithSecret } from '../../shared/webhook.ts'
import { approve } from '../api/requests.ts'
import { type Operators, startOperators } from '../durability/operators.ts'
import { type Prometheus, startPrometheus } from '../observability/prometheus.ts'
import { closeAll } from '../support/close-all.ts'
import type { ApiClient } from '../support/api-client.ts'
import { startTestBroker, type TestBroker } from '../support/broker.ts'
import { type DatabasePlace, type Engine, newDatabasePlace } from '../support/database.ts'
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { startReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts'

export type Rules = 'as written' | 'shortened'

export interface GameWorld {
  readonly operators: Operators
  readonly broker: TestBroker
  readonly platform: ApiClient
  readonly approvalId: string
  /** As it stands in the owner tags. */
  readonly installationId: string
  readonly endpoint: WebhookReceiver
  /** Null on PGlite. */
  readonly database: PostgresServer | null
  readonly watching: Readonly<Record<Rules, Prometheus>>
  /** A broker that was started again has other ports. */
  scrapeAgain(): Promise<void>
  close(): Promise<void>
}

/** As in deploy/prometheus/prometheus.yml. */
const PRODUCTION_PACE_SECONDS = 15

const shortened = (rules: string): string =>
  rules.replaceAll(/for: \d+[mh]/g, 'for: 5s').replaceAll('_oldest_seconds) > 3600', '_oldest_seconds) > 5')

/** So small that two allocations are much of it. */
export const CLUSTER = 'kakao-b200-255'
const CLUSTER_NODES = 6

export async function startGameWorld(engine: Engine): Promise<GameWorld> {
  const cleanUps: (() => Promise<unknown>)[] = []
  const later = <T>(value: T, cleanUp: (value: T) => Promise<unknown>): T => {
    cleanUps.unshift(() => cleanUp(value))
    return value
  }
  const close = (): Promise<void> => closeAll(...cleanUps.splice(0))
  try {
    const operators = later(await startOperators(), (one) => one.close())
    const database = engine === 'postgres' ? later(await startPostgres(), (one) => one.stop()) : null
    const place = later(database === null ? await newDatabasePlace(engine) : await placeOn(database), (one) =>
      one.remove(),
    )
    const endpoint = later(await startReceiver(), (one) => one.close())
    const broker = later(
      await startTestBroker({
        sandbox: operators,
        engine,
        place,
        nodes: { [CLUSTER]: CLUSTER_NODES },
        env: { RELEASE_CONFIRM_MINUTES: '0.01', SWEEP_INTERVAL_SECONDS: '1', WEBHOOK_ALLOW_PRIVATE: 'true' },
        mayPage: /./, // that is what the day is for
      }),
      (one) => one.stop(),
    )
    const targets = (): string[] => [new URL(broker.metricsUrl).host]
    const asWritten = later(
      await startPrometheus({ targets: targets(), everySeconds: PRODUCTION_PACE_SECONDS }),
      (one) => one.stop(),
    )
    const quick = later(await startPrometheus({ targets: targets(), everySeconds: 1, rules: shortened }), (one) =>
      one.stop(),
    )
    const platform = await broker.as('platform')
    ;(await platform.post('/v1/webhooks', { url: endpoint.url })).as(201, WebhookWithSecret)
    const approvalId = await approve(platform)
    const { items } = (await platform.get('/v1/events?limit=1')).as(200, pageOf(CloudEvent))
    return {
      operators,
      broker,
      platform,
      approvalId,
      installationId: items[0]?.source.split(':').at(-1) ?? '',
      endpoint,
      database,
      watching: { 'as written': asWritten, shortened: quick },
      scrapeAgain: async () => void (await Promise.all([asWritten.scrape(targets()), quick.scrape(targets())])),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function placeOn(server: PostgresServer): Promise<DatabasePlace> {
  const folder = await mkdtemp(join(tmpdir(), 'gpu-broker-gameday-'))
  const { url } = await server.createDatabase()
  return { url, folder, remove: () => rm(folder, { recursive: true, force: true }) }
}
