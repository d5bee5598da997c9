/** All the loops of one replica, started and stopped together. */
import type { Logger } from 'pino'
import type { App } from '../app/app.ts'
import type { Metrics } from '../metrics.ts'
import type { Poster } from '../outbound/post.ts'
import type { ProviderDirectory } from '../providers/directory.ts'
import { frozenProviders } from '../store/operations.ts'
import { type CircuitsWorker, startCircuits } from './circuits.ts'
import { describeProviders } from './describe.ts'
import { startEnding } from './ending.ts'
import { createHands } from './hands.ts'
import { startHealth } from './health.ts'
import { startIdleNotice } from './idle-notice.ts'
import { startLeftovers } from './leftovers.ts'
import { createPace } from './pace.ts'
import { startQuarantine } from './quarantine.ts'
import { dueSoon, startReconciler } from './reconcile.ts'
import { type RetentionTimes, startRetention } from './retention.ts'
import type { LookContext } from './steps.ts'
import { startSweeps, type SweepSettings } from './sweep.ts'
import { startStandings } from './standings.ts'
import { startWebhooks } from './webhooks.ts'
import { startWaitlist } from './waitlist.ts'

export interface Workers extends Pick<CircuitsWorker, 'changed' | 'mayTry'> {
  poke(): void
  stop(): Promise<void>
}

export interface WorkersOptions {
  readonly app: App
  readonly directory: ProviderDirectory
  readonly installationId: string
  readonly metrics: Metrics
  readonly logger: Logger
  /** How long an operator may take to be rid of nodes before they are quarantined. */
  readonly releaseConfirmMs: number
  /** How often an allocation that stands is compared with its operator's list. */
  readonly nodeHealthMs: number
  /** Sends events to webhooks. */
  readonly post: Poster
  readonly sweeps: SweepSettings
  readonly retention: RetentionTimes
  /** How long a provider may be down before what is being built there is placed again. */
  readonly providerDownMs: number
}

export function startWorkers(options: WorkersOptions): Workers {
  const { app, directory, installationId, metrics, logger, releaseConfirmMs, nodeHealthMs } = options
  const stopping = new AbortController()
  const failed = (worker: string) => {
    metrics.workerErrors.inc({ worker }, 0) // its first error is then an increase
    return (error: unknown, fields: Readonly<Record<string, unknown>> = {}): void => {
      metrics.workerErrors.inc({ worker })
      logger.error({ ...fields, err: error, worker }, 'a worker failed and goes on')
    }
  }
  const hands = createHands({ frozen: () => frozenProviders(app.database.queries), onError: failed('hands') })
  const context: LookContext = {
    app,
    directory,
    installationId,
    providerDownMs: options.providerDownMs,
    pace: createPace(nodeHealthMs),
    hands,
    signal: stopping.signal,
    log: (sentence, fields) => logger.info(fields, sentence),
  }
  const reconciler = startReconciler({ ...context, metrics, onError: failed('reconcile') })
  const standings = startStandings(app, failed('standings'))
  const waitlist = startWaitlist({ app, signal: stopping.signal, onError: failed('waitlist') })
  const quarantine = startQuarantine({ app, releaseConfirmMs, onError: failed('quarantine') })
  const idleNotice = startIdleNotice({ app, onError: failed('idle-notice') })
  const leftovers = startLeftovers(context, failed('leftovers'))
  const sweeps = startSweeps({
    ...context,
    settings: options.sweeps,
    page: (sentence, fields) => logger.error(fields, sentence),
    onError: failed('sweep'),
  })
  const circuits = startCircuits({ app, directory, onError: failed('circuits') })
  const health = startHealth(context, failed('health'))
  const webhooks = startWebhooks({ app, metrics, post: options.post, signal: stopping.signal }, failed('webhooks'))
  const retention = startRetention({
    app,
    times: options.retention,
    signal: stopping.signal,
    onError: failed('retention'),
  })
  const ending = startEnding(app, failed('ending'))
  const described = describeProviders(context).catch(failed('describe'))
  app.writer.onCommit((changes) => {
    hands.noticed(changes)
    const due = dueSoon(changes, app.now())
    for (const providerId of new Set(due.map((row) => row.providerId))) reconciler.pokeAt(providerId)
    standings.noticed(changes)
    waitlist.noticed(changes)
    quarantine.noticed(changes)
    idleNotice.noticed(changes)
    leftovers.noticed(changes)
    sweeps.noticed(changes)
    ending.noticed(changes)
  })
  return {
    changed: circuits.changed,
    mayTry: circuits.mayTry,
    poke() {
      reconciler.poke()
      waitlist.poke()
      quarantine.poke()
      idleNotice.poke()
      sweeps.poke()
    },
    async stop() {
      stopping.abort()
      const loops = [
        reconciler,
        waitlist,
        standings,
        quarantine,
        idleNotice,
        leftovers,
        sweeps,
        circuits,
        health,
        webhooks,
        retention,
        ending,
      ]
      await Promise.all([...loops.map((loop) => loop.stop()), described])
    },
  }
}
