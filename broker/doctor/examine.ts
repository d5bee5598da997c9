/**
 * What `gpu-broker doctor` does: looks at everything that a broker needs, from the configuration to each operator, changes
 * nothing, and says what to do about what is not well. One thing that is broken hides no other that can be looked at.
 */
import { type Config, ConfigError, readConfig, readStoreConfig } from '../config.ts'
import type { Settings } from '../settings.ts'
import { type Examined, fail, ok, sentenceOf, warn } from './check.ts'
import { examineIssuer } from './issuer.ts'
import { examineProvider, type ExaminedProvider } from './provider.ts'
import { examineStore } from './store.ts'

export interface ExamineOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly now: () => number
  readonly signal: AbortSignal
  readonly readSettings: (config: Config) => Promise<Settings>
  /** @throws ConfigError */
  readonly openProvider: (
    settings: Settings['providers'][number],
    index: number,
  ) => Pick<ExaminedProvider, 'provider' | 'clockSkewMs'> & { close(): void }
}

export async function examine(options: ExamineOptions): Promise<readonly Examined[]> {
  const { env, now } = options
  const config = attempt(() => readConfig(env))
  const where = attempt(() => readStoreConfig(env))
  const settings = 'value' in config ? await attemptLater(() => options.readSettings(config.value)) : null
  const examined: Examined[] = [
    'error' in config
      ? fail('configuration', 'environment', config.error, 'correct these variables; gpu-broker config shows all')
      : ok('configuration', 'environment', 'every variable is what it should be'),
  ]
  if (settings !== null) examined.push(...filesOf(settings))
  const store = 'value' in where ? await examineStore(where.value, now) : { examined: [], facts: null }
  examined.push(...store.examined)
  if (settings === null || 'error' in settings) return examined
  const around = {
    now,
    signal: options.signal,
    installationId: store.facts?.installationId ?? null,
    organizations: store.facts?.organizations ?? null,
  }
  const [issuer, ...providers] = await Promise.all([
    examineIssuer(settings.value.oidc, now),
    ...settings.value.providers.map((one, index) => examineOne(options, { one, index }, around)),
  ])
  return [...examined, ...issuer, ...providers.flat()]
}

const ADVICE = 'correct that file, or the secrets behind env: and file: in it'

type Attempt<T> = { readonly value: T } | { readonly error: string }

function filesOf(settings: Attempt<Settings>): readonly Examined[] {
  if ('error' in settings) return [fail('configuration', 'files', settings.error, ADVICE)]
  const { inventory, providers } = settings.value
  const served = new Set(providers.flatMap((one) => one.served.map(({ clusterId }) => clusterId)))
  const unserved = inventory.clusters.map(({ id }) => id).filter((id) => !served.has(id))
  const found = `${inventory.clusters.length} clusters, ${providers.length} providers`
  return [
    ok('configuration', 'files', found),
    ...(unserved.length === 0
      ? []
      : [
          warn(
            'configuration',
            'clusters',
            `no provider serves ${unserved.join(', ')}`,
            'map them in PROVIDERS to place there',
          ),
        ]),
  ]
}

async function examineOne(
  { openProvider }: ExamineOptions,
  { one, index }: { readonly one: Settings['providers'][number]; readonly index: number },
  around: Parameters<typeof examineProvider>[1],
): Promise<readonly Examined[]> {
  const opened = attempt(() => openProvider(one, index))
  if ('error' in opened)
    return [fail(one.id, 'configured', opened.error, `correct the entry of ${one.id} in PROVIDERS`)]
  try {
    return await examineProvider({ ...opened.value, served: one.served }, around)
  } finally {
    opened.value.close()
  }
}

function attempt<T>(read: () => T): Attempt<T> {
  try {
    return { value: read() }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { error: sentenceOf(error) }
  }
}

async function attemptLater<T>(read: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { value: await read() }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { error: sentenceOf(error) }
  }
}
