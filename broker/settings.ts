/** From the configuration's files (or the sandbox's data) to what the broker is built from; every fault is one line. */
import { z } from 'zod'
import { Inventory } from '../shared/inventory.ts'
import { ClusterBase, ProviderBase } from '../shared/provider-settings.ts'
import { type Config, ConfigError, oneLine, readJsonFile, readProviders } from './config.ts'
import type { ServedCluster } from './providers/directory.ts'

export interface Settings {
  readonly inventory: Inventory
  /** The inventory as it is written now. @throws ConfigError */
  readonly readInventory: () => Inventory
  readonly providers: readonly ProviderSettings[]
  readonly oidc: {
    readonly issuer: string
    readonly audience: string
    readonly introspection: { readonly clientId: string; readonly clientSecret: string } | null
  }
}

export interface ProviderSettings {
  readonly id: string
  readonly kind: string
  readonly served: readonly ServedCluster[]
  /** As configured, secrets resolved: the adapter's own schema reads the rest. */
  readonly raw: unknown
}

/** What the sandbox offers instead of files: the same data from another place. */
export interface SettingsSource {
  readonly providers: readonly unknown[]
  readonly readInventory: () => unknown
  readonly issuer: string
  readonly audience: string
  readonly introspection: { readonly clientId: string; readonly clientSecret: string } | null
}

const DEFAULT_INVENTORY = new URL('../deploy/inventory.json', import.meta.url).pathname

/** @throws ConfigError */
export function settingsFromFiles(config: Config): Settings {
  return settingsFrom({
    providers: readProviders(config.PROVIDERS ?? ''),
    readInventory: () => readJsonFile('INVENTORY', config.INVENTORY ?? DEFAULT_INVENTORY),
    issuer: config.OIDC_ISSUER ?? '',
    audience: config.OIDC_AUDIENCE,
    introspection:
      config.OIDC_CLIENT_ID === undefined || config.OIDC_CLIENT_SECRET === undefined
        ? null
        : { clientId: config.OIDC_CLIENT_ID, clientSecret: config.OIDC_CLIENT_SECRET },
  })
}

/** @throws ConfigError */
export function settingsFrom(source: SettingsSource): Settings {
  const readInventory = (): Inventory => parsed('INVENTORY', Inventory, source.readInventory())
  const inventory = readInventory()
  const providers = source.providers.map((raw, index) => providerSettings(raw, `PROVIDERS.${index}`, inventory))
  const { issuer, audience, introspection } = source
  return { inventory, readInventory, providers, oidc: { issuer, audience, introspection } }
}

/** The part that every provider has, whatever its kind. */
const Common = z.looseObject({
  ...ProviderBase.shape,
  clusters: z.record(
    z.string(),
    z.looseObject({
      images: ClusterBase.shape.images,
      networks: z.array(z.looseObject({ name: z.string() })).min(1),
      isolation: ClusterBase.shape.isolation,
    }),
  ),
})

function providerSettings(raw: unknown, member: string, inventory: Inventory): ProviderSettings {
  const common = parsed(member, Common, raw)
  const clusterIds = new Set(inventory.clusters.filter((one) => one.providerId === common.id).map((one) => one.id))
  const stranger = Object.keys(common.clusters).find((id) => !clusterIds.has(id))
  if (stranger !== undefined) {
    throw new ConfigError(`${member}.clusters.${stranger}: must be a cluster of ${common.id} in the inventory`)
  }
  const served = Object.entries(common.clusters).map(([clusterId, { images, networks, isolation }]) => ({
    clusterId,
    images: Object.keys(images),
    networks: networks.map((network) => network.name),
    isolation,
  }))
  return { id: common.id, kind: common.kind, served, raw }
}

export function parsed<S extends z.ZodType>(member: string, schema: S, value: unknown): z.infer<S> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw new ConfigError(oneLine(member, result.error))
}
