/** Which provider is behind an id, guarded and measured, and what it is configured to serve. */
import type { ProviderView } from '../../shared/cluster.ts'
import type { Provider, Traffic } from '../../shared/provider.ts'
import type { EpochMs } from '../../shared/time.ts'
import type { GuardedProvider } from './guard.ts'

/** One of the inventory's clusters, as the provider's configuration maps it. */
export interface ServedCluster {
  readonly clusterId: string
  /** Aliases; the first is the default. */
  readonly images: readonly string[]
  /** Names of the configured networks, at least one. */
  readonly networks: readonly string[]
  /** Whether each organisation has a network of its own, or all are in the first. */
  readonly isolation: 'organization' | 'shared'
}

/** What this replica's own calls have seen of a provider. */
export interface CallHealth extends Pick<ProviderView['health'], 'since' | 'lastSuccessAt' | 'lastError'> {
  /** When this process began to call it. */
  readonly watchedSince: EpochMs
  /** The last call that says anything failed. */
  readonly failing: boolean
}

export interface ProviderEntry extends Pick<GuardedProvider, 'adopt' | 'failingSince'> {
  readonly id: string
  readonly provider: Provider
  readonly served: readonly ServedCluster[]
  health(): CallHealth
  traffic(): Traffic
  close(): void
}

export interface ProviderDirectory {
  readonly entries: readonly ProviderEntry[]
  get(providerId: string): ProviderEntry | null
  served(clusterId: string): ServedCluster | null
  close(): void
}

export function createDirectory(entries: readonly ProviderEntry[]): ProviderDirectory {
  const byId = new Map(entries.map((entry) => [entry.id, entry]))
  const byCluster = new Map(
    entries.flatMap((entry) => entry.served.map((served) => [served.clusterId, served] as const)),
  )
  return {
    entries,
    get: (providerId) => byId.get(providerId) ?? null,
    served: (clusterId) => byCluster.get(clusterId) ?? null,
    close() {
      for (const entry of entries) entry.close()
    },
  }
}
