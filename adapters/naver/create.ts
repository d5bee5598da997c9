/**
 * Asking for a group of nodes: one call for each member, because one call for several would name them by a rule that is
 * not known. The operator takes the same name twice, so members are looked for first.
 */
import { memberName, ownerTagText } from '../../shared/ids.ts'
import type { Call, NodeGroup, ProviderNode } from '../../shared/provider.ts'
import { type Effect, ProviderError, RETRYABLE } from '../../shared/provider-error.ts'
import { scriptFor } from './boot-script.ts'
import { type NaverClient, type Parameters, readRows } from './client.ts'
import type { NaverCluster, NaverNetwork, NaverSettings } from './config.ts'
import { listFabricPools } from './fabric.ts'
import type { Looks } from '../looks.ts'
import { SERVER_LIST } from './servers.ts'
import { type Server, toNode } from './wire.ts'

interface CreateParts {
  readonly client: NaverClient
  readonly settings: NaverSettings
  readonly looks: Looks<Server>
}

interface Order {
  readonly group: NodeGroup
  readonly cluster: NaverCluster
  readonly network: NaverNetwork
  readonly serverImageNo: string
}

export async function createNodes(parts: CreateParts, group: NodeGroup, call: Call): Promise<ProviderNode[]> {
  const { settings, looks } = parts
  const order = orderFor(settings, group)
  const names = Array.from({ length: group.size }, (_, index) => memberName(group.name, index + 1))
  const found = (await looks.at('', '', call)).filter((server) => names.includes(server.serverName))
  const taken = new Set(found.map((server) => server.serverName))
  const missing = names.filter((name) => !taken.has(name))
  const made = missing.length === 0 ? [] : await makeMembers(parts, { order, missing, found: found.length }, call)
  const tag = ownerTagText(group.owner)
  return [...found, ...made]
    .filter((server) => server.serverDescription === tag)
    .map((server) => toNode(server, settings, null))
}

function orderFor(settings: NaverSettings, group: NodeGroup): Order {
  const cluster = settings.clusters[group.clusterId]
  if (cluster === undefined) throw notOurs(`cluster ${group.clusterId} is not configured`)
  const serverImageNo = cluster.images[group.imageAlias]
  if (serverImageNo === undefined) throw notOurs(`image ${group.imageAlias} is not configured for ${group.clusterId}`)
  const network = cluster.networks.find(({ name }) => name === group.network)
  if (network === undefined) throw notOurs(`network ${group.network} is not configured for ${group.clusterId}`)
  if (group.size < 1 || group.size > settings.maxBatch)
    throw notOurs(`a group has 1 to ${settings.maxBatch} nodes, not ${group.size}`)
  return { group, cluster, network, serverImageNo }
}

const notOurs = (message: string) => new ProviderError('refused', message, { effect: 'none' })

interface MissingMembers {
  readonly order: Order
  readonly missing: readonly string[]
  /** How many of the group exist already. */
  readonly found: number
}

async function makeMembers(parts: CreateParts, { order, missing, found }: MissingMembers, call: Call) {
  const { client, settings } = parts
  const { cluster, group } = order
  const initScriptNo = await scriptFor({ client, loginUser: cluster.loginUser }, group, call)
  const { made, errors } = await untilOneFails(
    missing,
    (name) => makeMember(client, parametersFor(order, name, initScriptNo), call),
    settings.maxConcurrent,
  )
  const error = errors.find(({ kind }) => !RETRYABLE[kind]) ?? errors[0]
  if (error === undefined) return made.flat()
  const someExist = found > 0 || made.length > 0 || errors.some(({ effect }) => effect === 'maybe')
  throw withEffect(await explained(parts, cluster, error, call), someExist ? 'maybe' : 'none')
}

/**
 * The first alone, then several at once, in order: what is refused is mostly refused to all alike, and while nothing
 * was made the refusal says so. After a failure nothing more is asked for.
 */
async function untilOneFails<Result>(
  names: readonly string[],
  ask: (name: string) => Promise<Result>,
  atOnce: number,
): Promise<{ readonly made: Result[]; readonly errors: ProviderError[] }> {
  const [first, ...rest] = names
  const queue = rest.values()
  const made: Result[] = []
  const errors: ProviderError[] = []
  const askFor = async (name: string): Promise<void> => {
    try {
      made.push(await ask(name))
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error
      errors.push(error)
    }
  }
  const work = async (): Promise<void> => {
    while (errors.length === 0) {
      const { value: name } = queue.next()
      if (name === undefined) return
      await askFor(name)
    }
  }
  if (first !== undefined) await askFor(first)
  await Promise.all(Array.from({ length: Math.min(atOnce, rest.length) }, work))
  return { made, errors }
}

const CREATE = 'createServerInstances'

async function makeMember(client: NaverClient, parameters: Parameters, call: Call): Promise<Server[]> {
  const payload = await client.change({ action: CREATE, parameters }, call)
  return readRows(payload, { ...SERVER_LIST, action: CREATE }, 'maybe')
}

const parametersFor = (
  { group, cluster, network, serverImageNo }: Order,
  serverName: string,
  initScriptNo: string | null,
): Parameters => ({
  ...cluster.createParameters,
  serverImageNo,
  serverSpecCode: cluster.spec,
  vpcNo: cluster.vpcNo,
  subnetNo: network.subnetNo,
  'networkInterfaceList.1.networkInterfaceOrder': 0,
  'networkInterfaceList.1.subnetNo': network.subnetNo,
  'networkInterfaceList.1.accessControlGroupNoList': network.accessControlGroupNos,
  serverName,
  serverDescription: ownerTagText(group.owner),
  serverCreateCount: 1,
  loginKeyName: cluster.loginKeyName,
  initScriptNo: initScriptNo ?? undefined,
  isProtectServerTermination: false,
  associateWithPublicIp: cluster.publicAddress ? true : undefined,
  fabricClusterPoolNo: cluster.fabricPoolNo,
  isPreInstallGpuDriver: cluster.preinstallGpuDriver,
})

/**
 * No code is known for "no stock". What is documented: a fabric pool without free GPUs is missing from the list of
 * pools. So a refusal without a meaning of its own is compared with that list.
 */
async function explained(parts: CreateParts, cluster: NaverCluster, error: ProviderError, call: Call) {
  const { fabricPoolNo } = cluster
  if (error.kind !== 'refused' || fabricPoolNo === undefined) return error
  const pools = await listFabricPools(parts.client, cluster, call).catch(() => null)
  if (pools === null || pools.some((pool) => pool.fabricClusterPoolNo === fabricPoolNo)) return error
  const { effect, code, providerMessage } = error
  const message = `${error.message}, and fabric pool ${fabricPoolNo} is not among the available ones`
  return new ProviderError('out-of-capacity', message, { effect, code, providerMessage })
}

function withEffect(error: ProviderError, effect: Effect): ProviderError {
  if (error.effect === effect) return error
  const { kind, message, code, providerMessage, retryAfterMs } = error
  return new ProviderError(kind, message, { effect, code, providerMessage, retryAfterMs })
}
