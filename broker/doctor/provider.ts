/** One operator: whether it answers and lets us in, has what is configured, and what it would give. Changes nothing there. */
import { ProviderError } from '../../shared/provider-error.ts'
import type { Call, DescribedCluster, Provider } from '../../shared/provider.ts'
import { SECOND_MS } from '../../shared/time.ts'
import { type Examined, fail, ok, sentenceOf, warn } from './check.ts'
import { clockOf } from './clocks.ts'

export interface ExaminedProvider {
  readonly provider: Provider
  readonly served: readonly {
    readonly clusterId: string
    readonly networks: readonly string[]
    readonly isolation: 'organization' | 'shared'
  }[]
  /** Their clock less ours, by their last answer; null: not told. */
  readonly clockSkewMs: () => number | null
}

export interface ProviderSurroundings {
  readonly now: () => number
  readonly signal: AbortSignal
  /** Null: nothing is known of a store. */
  readonly installationId: string | null
  /** Those with an approval that is valid; null: not known. */
  readonly organizations: number | null
}

const CALL_WITHIN_MS = 15 * SECOND_MS

export async function examineProvider(
  one: ExaminedProvider,
  around: ProviderSurroundings,
): Promise<readonly Examined[]> {
  const { provider } = one
  const call = (): Call => ({
    operationId: `doctor-${provider.id}`,
    deadlineAt: around.now() + CALL_WITHIN_MS,
    signal: around.signal,
  })
  const startedAt = performance.now()
  const pinged = await asked(provider.id, 'answers', provider.ping(call()), () =>
    ok(provider.id, 'answers', `in ${Math.round(performance.now() - startedAt)} ms`),
  )
  const clock = clockOf(provider.id, one.clockSkewMs())
  // Without an answer or with the wrong key, all the rest would say the same again.
  if (pinged.some(({ state }) => state === 'fail')) return one.clockSkewMs() === null ? pinged : [...pinged, clock]
  const [described, listed, ...free] = await Promise.all([
    asked(provider.id, 'describes', provider.describe(call()), (clusters) => describedAs(one, clusters)),
    listing(one, around, call),
    ...one.served.map(({ clusterId }) =>
      asked(clusterId, 'room', provider.freeCapacity(clusterId, call()), (nodes) => roomOf(clusterId, nodes)),
    ),
  ])
  const networks = one.served.map((served) => isolationOf(served, around.organizations))
  return [...pinged, clock, ...described, ...listed, ...free.flat(), ...networks]
}

async function listing(
  { provider }: ExaminedProvider,
  { installationId }: ProviderSurroundings,
  call: () => Call,
): Promise<readonly Examined[]> {
  if (installationId === null) return []
  return asked(provider.id, 'lists nodes', provider.listNodes({ installationId }, call()), (nodes) =>
    ok(provider.id, 'lists nodes', `${nodes.length} with this installation’s tag`),
  )
}

async function asked<T>(
  of: string,
  check: string,
  answer: Promise<T>,
  found: (value: T) => Examined | readonly Examined[],
): Promise<readonly Examined[]> {
  try {
    return [found(await answer)].flat()
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    const code = error.code === null ? '' : `, ${error.code}`
    return [fail(of, check, `${error.kind}${code}: ${sentenceOf(error)}`, ADVICE[error.kind])]
  }
}

const ADVICE: Readonly<Record<ProviderError['kind'], string>> = {
  unreachable: 'check the URLs in PROVIDERS, DNS, and that this machine may connect there (firewall, NetworkPolicy)',
  throttled: 'lower ratePerSecond of this provider in PROVIDERS, or wait',
  busy: 'ask again in a minute',
  'out-of-capacity': 'ask the operator',
  'quota-exceeded': 'ask the operator for a higher quota',
  refused: 'compare what is configured for this provider in PROVIDERS with the operator’s console',
  unauthenticated: 'check this provider’s keys and their permissions; the values behind env: and file: in PROVIDERS',
  'not-found': 'check ids, region and project of this provider in PROVIDERS',
  malformed: 'check that the URLs in PROVIDERS are this operator’s API; if so, tell us what it answers',
}

function describedAs({ served, provider }: ExaminedProvider, clusters: readonly DescribedCluster[]): Examined[] {
  return served.map(({ clusterId, networks }) => {
    const found = clusters.find((cluster) => cluster.clusterId === clusterId)
    if (found === undefined) {
      return fail(
        clusterId,
        'configured',
        `${provider.id} does not know it`,
        'take it out of PROVIDERS, or correct its ids',
      )
    }
    const missing = networks.filter((name) => !found.networks.includes(name)).map((name) => `no network ${name}`)
    const problems = [...new Set([...found.problems, ...(found.problems.length === 0 ? missing : [])])]
    if (problems.length > 0) {
      return fail(
        clusterId,
        'configured',
        problems.join('; '),
        `correct clusters.${clusterId} of ${provider.id} in PROVIDERS`,
      )
    }
    return ok(
      clusterId,
      'configured',
      `${counted(found.images.length, 'image')}, ${counted(found.networks.length, 'network')}`,
    )
  })
}

const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`

function roomOf(clusterId: string, nodes: number | null): Examined {
  if (nodes === null) return ok(clusterId, 'room', 'the operator does not tell')
  if (nodes > 0) return ok(clusterId, 'room', `${counted(nodes, 'node')} could be made now`)
  return warn(
    clusterId,
    'room',
    'no node could be made now',
    'fine where all are in use; else ask the operator for quota',
  )
}

function isolationOf(
  { clusterId, networks, isolation }: ExaminedProvider['served'][number],
  organizations: number | null,
): Examined {
  if (isolation === 'shared') {
    return warn(
      clusterId,
      'isolation',
      'all organisations share one network',
      'give each a network of its own: isolation "organization" and a pool of networks in PROVIDERS',
    )
  }
  const found = `${counted(networks.length, 'network')} for ${organizations ?? 'an unknown number of'} organisations`
  if (organizations === null || organizations <= networks.length) return ok(clusterId, 'isolation', found)
  return warn(clusterId, 'isolation', found, 'who finds none free waits: add networks to the pool in PROVIDERS')
}
