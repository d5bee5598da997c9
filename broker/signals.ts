/**
 * What signals mean to a broker that runs. SIGTERM comes from whoever runs it among others: it says that it is leaving,
 * goes on answering until load balancers have noticed, and stops then. SIGINT comes from a person, who is not kept waiting.
 * SIGHUP reads the inventory again, and SIGUSR2 switches the log's details on and off.
 */
import type { InventoryReload } from '../shared/operation.ts'

interface Signalled {
  drain(): void
  stop(): Promise<void>
  reloadInventory(): Promise<InventoryReload>
}

interface SignalOptions {
  readonly logger: {
    info(fields: object, sentence: string): void
    error(fields: object, sentence: string): void
  }
  /** Between the two on SIGTERM. */
  readonly drainMs: number
  /** More is to be logged from now on, or less again. */
  readonly onDetails: () => void
  readonly onStopped: () => void
  readonly onFailed: (error: unknown) => void
}

export function serveUntilSignalled(broker: Signalled, options: SignalOptions): void {
  const { logger, drainMs, onDetails, onStopped, onFailed } = options
  let isStopping = false
  const stop = (signal: NodeJS.Signals): void => {
    if (isStopping) return
    isStopping = true
    logger.info({ signal }, 'the broker stops')
    broker.stop().then(onStopped, onFailed)
  }
  process.on('SIGTERM', (signal) => {
    broker.drain()
    if (drainMs === 0) return stop(signal)
    if (!isStopping) logger.info({ signal, drainMs }, 'the broker is leaving, and answers until load balancers know')
    setTimeout(stop, drainMs, signal)
  })
  process.on('SIGINT', stop)
  process.on('SIGHUP', () => void readInventoryAgain(broker, logger))
  process.on('SIGUSR2', onDetails)
}

async function readInventoryAgain(broker: Signalled, logger: SignalOptions['logger']): Promise<void> {
  try {
    const { clusters, affected, promises } = await broker.reloadInventory()
    const figures = { changed: clusters.map((one) => one.clusterId), moved: affected.length, late: promises.length }
    logger.info(figures, 'the inventory was read again')
  } catch (error) {
    logger.error({ err: error }, 'the inventory could not be read again, and stays as it was')
  }
}
