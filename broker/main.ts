/** The program: reads the configuration, starts a broker on it, and ends as whoever runs it says. */
import { type Config, ConfigError, readConfig, readJsonFile } from './config.ts'
import type { Examined } from './doctor/check.ts'
import { examine, type ExamineOptions } from './doctor/examine.ts'
import { createLogger, toggleDebug } from './log.ts'
import { SECOND_MS } from '../shared/time.ts'
import { type Settings, settingsFrom, settingsFromFiles } from './settings.ts'
import { serveUntilSignalled } from './signals.ts'
import { startBroker } from './start/broker.ts'
import { adapterOf } from './start/operators.ts'
import { whyNoDatabase } from './store/away.ts'
import { FolderInUse } from './store/folder-lock.ts'
import { SchemaMismatch } from './store/migrate.ts'

/** With neither providers nor an issuer configured, the sandbox's data stand in for the files. */
export async function readSettings(config: Config): Promise<Settings> {
  if (config.PROVIDERS !== undefined || config.SANDBOX_PORT === undefined) return settingsFromFiles(config)
  const { sandboxSettings, urlsAt, withQuickTurnover } = await import('../deploy/sandbox/for-broker.ts')
  const settings = sandboxSettings(urlsAt(config.SANDBOX_PORT))
  const { INVENTORY } = config
  if (INVENTORY === undefined) return settingsFrom(settings)
  return settingsFrom({
    ...settings,
    readInventory: () => withQuickTurnover(readJsonFile('INVENTORY', INVENTORY)),
  })
}

/** For `doctor`: everything that the environment configures, looked at as it is. */
export const examineAll = (options: Pick<ExamineOptions, 'env' | 'signal'>): Promise<readonly Examined[]> =>
  examine({
    ...options,
    now: Date.now,
    readSettings,
    openProvider({ kind, raw }, index) {
      const provider = adapterOf(kind, raw, `PROVIDERS.${index}`)
      return { provider, clockSkewMs: () => provider.traffic().clockSkewMs, close: () => provider.close() }
    },
  })

/** Starts a broker from the environment and runs until SIGTERM or SIGINT. */
export async function serve(): Promise<void> {
  const config = readConfig()
  const logger = createLogger(config.LOG_LEVEL)
  const settings = await readSettings(config)
  if (config.PROVIDERS === undefined)
    logger.info({ port: config.SANDBOX_PORT }, 'the sandbox stands in for the operators')
  const broker = await startBroker({ config, settings, logger, onLost: (error) => leave(1, error.message) })
  if (config.DATABASE_URL === undefined) {
    logger.warn(
      { folder: config.DATA_DIR },
      'the embedded database survives a kill of the process, not a loss of power',
    )
  }
  logger.info({ url: broker.url, metricsUrl: broker.metricsUrl }, 'the broker is ready')
  serveUntilSignalled(broker, {
    logger,
    drainMs: config.SHUTDOWN_DELAY_SECONDS * SECOND_MS,
    onDetails: () => toggleDebug(logger, config.LOG_LEVEL),
    onStopped: () => process.exit(0),
    onFailed: (error) => leave(1, error instanceof Error ? error.message : String(error)),
  })
}

function leave(status: number, line: string): void {
  process.stderr.write(`gpu-broker: ${line}\n`)
  process.exit(status)
}

/** One clear line for what somebody configured, the whole error for what we did wrong. */
export function reportStartFailure(error: unknown): void {
  const isTheirs = [ConfigError, FolderInUse, SchemaMismatch].some((known) => error instanceof known)
  if (isTheirs && error instanceof Error) return leave(1, error.message)
  const noDatabase = whyNoDatabase(error)
  if (noDatabase !== null) return leave(1, noDatabase)
  process.stderr.write(
    `gpu-broker: could not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  )
  process.exit(1)
}

if (import.meta.main) serve().catch(reportStartFailure)
