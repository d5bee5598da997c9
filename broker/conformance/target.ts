/** From the configuration and the adapter's module to what cases are tried against. */
import type { Provider } from '../../shared/provider.ts'
import { KitError, type KitConfig, laidOver, textsIn } from './config.ts'
import type { ClosableProvider, Target } from './contract-case.ts'
import { controlOf } from './control.ts'
import type { AdapterModule } from './load-adapter.ts'
import { aCall } from './steps.ts'

export interface OpenTarget {
  readonly target: Target
  close(): void
}

/** @throws KitError when the adapter does not take the settings, or describes no cluster */
export async function openTarget(config: KitConfig, adapter: AdapterModule): Promise<OpenTarget> {
  const { provider: settings, wrongKey, faults, patience } = config
  const provider = create(adapter, settings.kind, settings)
  const wrongKeyProvider = wrongKey === undefined ? null : create(adapter, settings.kind, laidOver(settings, wrongKey))
  const close = (): void => {
    provider.close?.()
    wrongKeyProvider?.close?.()
  }
  try {
    return {
      close,
      target: {
        provider,
        freshProvider: () => create(adapter, settings.kind, settings),
        wrongKeyProvider,
        wrongSecrets: textsIn(wrongKey),
        clusterId: config.clusterId ?? (await firstCluster(provider, patience)),
        unknownInstanceId: config.unknownInstanceId ?? null,
        pageSize: config.pageSize ?? null,
        burstNodes: config.burstNodes ?? null,
        maxNodes: config.maxNodes,
        patience,
        sandbox: faults === undefined ? null : controlOf(faults.controlUrl, callsOf(faults.calls)),
      },
    }
  } catch (error) {
    close()
    throw error
  }
}

function create(adapter: AdapterModule, kind: string, settings: unknown): ClosableProvider {
  try {
    return adapter.createProvider(kind, settings, { now: Date.now })
  } catch (error) {
    throw new KitError(
      `the adapter does not take these settings: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

async function firstCluster(provider: Provider, patience: Target['patience']): Promise<string> {
  const signal = new AbortController().signal
  const described = await provider.describe(aCall({ patience, signal })).catch((error: unknown) => {
    throw new KitError(`the adapter describes no cluster: ${error instanceof Error ? error.message : String(error)}`)
  })
  const first = described[0]
  if (first === undefined) throw new KitError('the adapter describes no cluster')
  return first.clusterId
}

type Calls = NonNullable<KitConfig['faults']>['calls']

/** A member that is not there is absent, not undefined. */
const callsOf = ({ create, list, remove }: Calls) => ({
  create: matchOf(create),
  list: matchOf(list),
  remove: matchOf(remove),
})

const matchOf = ({ method, path }: Calls['create']) => ({
  ...(method !== undefined && { method }),
  ...(path !== undefined && { path }),
})
