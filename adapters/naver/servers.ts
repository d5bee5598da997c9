/**
 * Servers as this installation sees them. The region is always listed whole and compared here: whether the operator's
 * filter by name is exact is not known, and a filter by id may refuse ids that are gone.
 */
import { type Call, type NodeFilter, type OtherNode, type ProviderNode, isWithin } from '../../shared/provider.ts'
import type { NaverClient } from './client.ts'
import type { NaverSettings } from './config.ts'
import { NetworkInterface, Server, ownerOf, stateOf, toNode, toOther } from './wire.ts'

export const SERVER_LIST = { rows: 'serverInstanceList', row: Server } as const

export const listServers = (client: NaverClient, call: Call): Promise<Server[]> =>
  client.listAll({ ...SERVER_LIST, action: 'getServerInstanceList', idOf: (server) => server.serverInstanceNo }, call)

/** Those with a tag of the installation and, where asked for, of one allocation; a server renamed by hand is still ours. */
export const ownServers = (servers: readonly Server[], filter: NodeFilter): Server[] =>
  servers.filter((server) => isWithin(filter, { owner: ownerOf(server), providerInstanceId: server.serverInstanceNo }))

/** Private addresses of servers, remembered: an address stays for a server's life, and asking again costs a list. */
interface Addresses {
  of(servers: readonly Server[], call: Call): Promise<ReadonlyMap<string, string>>
}

/** A region holds a few hundred servers; beyond this, what is remembered is of servers long gone. */
const MAX_REMEMBERED = 10_000

export function createAddresses(client: NaverClient): Addresses {
  const known = new Map<string, string>()
  return {
    async of(servers, call) {
      const unknown = servers.filter((server) => stateOf(server) === 'ready' && !known.has(server.serverInstanceNo))
      if (unknown.length === 0) return known
      if (known.size > MAX_REMEMBERED) known.clear()
      for (const { instanceNo, ip } of primaryFirst(await listInterfaces(client, call)))
        if (instanceNo !== '' && ip !== '' && !known.has(instanceNo)) known.set(instanceNo, ip)
      return known
    },
  }
}

const listInterfaces = (client: NaverClient, call: Call): Promise<NetworkInterface[]> =>
  client.listAll(
    {
      action: 'getNetworkInterfaceList',
      rows: 'networkInterfaceList',
      row: NetworkInterface,
      idOf: (networkInterface) => networkInterface.networkInterfaceNo,
    },
    call,
  )

const primaryFirst = (interfaces: readonly NetworkInterface[]): NetworkInterface[] =>
  interfaces.toSorted((a, b) => Number(b.isDefault === true) - Number(a.isDefault === true))

interface ListParts {
  readonly client: NaverClient
  readonly settings: NaverSettings
  readonly addresses: Addresses
}

export async function listNodes(parts: ListParts, filter: NodeFilter, call: Call): Promise<ProviderNode[]> {
  const servers = ownServers(await listServers(parts.client, call), filter)
  const addresses = await parts.addresses.of(servers, call)
  return servers.map((server) => toNode(server, parts.settings, addresses.get(server.serverInstanceNo) ?? null))
}

export async function listOthers(
  { client, settings }: Pick<ListParts, 'client' | 'settings'>,
  { installationId }: Pick<NodeFilter, 'installationId'>,
  call: Call,
): Promise<OtherNode[]> {
  const servers = await listServers(client, call)
  return servers
    .filter((server) => ownerOf(server)?.installationId !== installationId)
    .flatMap((server) => toOther(server, settings) ?? [])
}
