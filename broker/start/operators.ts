/** The operators that are configured, each through its adapter and what guards it. The only file that imports adapters. */
import type { Logger } from 'pino'
import { ZodError } from 'zod'
import { createProvider } from '../../adapters/registry.ts'
import { ConfigError, oneLine } from '../config.ts'
import type { Metrics } from '../metrics.ts'
import { createDirectory, type ProviderDirectory } from '../providers/directory.ts'
import { guardProvider } from '../providers/guard.ts'
import type { Settings } from '../settings.ts'
import { CIRCUIT_RESET_MS } from '../workers/circuits.ts'
import type { Workers } from '../workers/workers.ts'

export interface Surroundings {
  readonly settings: Settings
  readonly logger: Logger
  readonly metrics: Metrics
  readonly workers: Pick<Workers, 'changed' | 'mayTry'>
}

export function directoryOf({ settings, logger, metrics, workers }: Surroundings): ProviderDirectory {
  const entries = settings.providers.map(({ id, kind, served, raw }, index) => {
    const adapter = adapterOf(kind, raw, `PROVIDERS.${index}`)
    const guarded = guardProvider(adapter, {
      now: Date.now,
      metrics,
      circuitResetMs: CIRCUIT_RESET_MS,
      mayTry: (circuit) => workers.mayTry(circuit),
      onCircuit(change) {
        logger.warn(change, 'a provider’s circuit changed')
        workers.changed(change)
      },
      onPage: (page) => logger.error(page, 'a provider refuses what no waiting mends'),
    })
    const close = (): void => {
      guarded.close()
      adapter.close()
    }
    return { id, ...guarded, served, traffic: () => adapter.traffic(), close }
  })
  return createDirectory(entries)
}

/** @throws ConfigError that names the member */
export function adapterOf(kind: string, raw: unknown, member: string): ReturnType<typeof createProvider> {
  try {
    return createProvider(kind, raw, { now: Date.now })
  } catch (error) {
    throw error instanceof ZodError ? new ConfigError(oneLine(member, error)) : error
  }
}

export const providerFacts = (directory: ProviderDirectory, { inventory }: Settings) =>
  directory.entries.map(({ id, health }) => ({
    id,
    health,
    name: inventory.operators.find((operator) => operator.id === id)?.name ?? id,
  }))
