/**
 * What is made beside nodes and outlives its use: init scripts, fabric clusters, public IPs. Each is proved to be this
 * installation's by its tag (public IPs: public-ips.ts) before it is touched.
 */
import { type OwnerTag, parseOwnerTag } from '../../shared/ids.ts'
import type { Call, Leftover } from '../../shared/provider.ts'
import { listInitScripts } from './boot-script.ts'
import type { NaverClient } from './client.ts'
import { dissolve, listFabrics } from './fabric.ts'
import { type PublicIps, accepts } from './public-ips.ts'
import { listServers, ownServers } from './servers.ts'
import { type FabricCluster, type InitScript, type Server, isReady, ownerOf, stateOf } from './wire.ts'

interface SweepParts {
  readonly client: NaverClient
  readonly publicIps: PublicIps
  /** Groups that this process is asking for at this moment: their scripts are about to be named. */
  readonly groupsInFlight: ReadonlySet<string>
}

interface SweepRequest {
  readonly installationId: string
  readonly allocationsEnded: ReadonlySet<string>
}

/**
 * An allocation that has not ended keeps what it has, but for two things: the init script of a group all of whose listed
 * nodes have booted (a group of which lists show a node is never asked for again, and a script shows its keys to whoever
 * may list it), and the fabric cluster of a place that its nodes have left.
 */
export async function sweepLeftovers(parts: SweepParts, request: SweepRequest, call: Call): Promise<Leftover[]> {
  const servers = ownServers(await listServers(parts.client, call), { installationId: request.installationId })
  return [
    ...(await sweepInitScripts(parts, { request, servers }, call)),
    ...(await sweepFabrics(parts, { request, servers }, call)),
    ...(await sweepPublicIps(parts, request, call)),
  ]
}

interface Sweep {
  readonly request: SweepRequest
  readonly servers: readonly Server[]
}

const isUnwanted = (owner: OwnerTag | null, { installationId, allocationsEnded }: SweepRequest): boolean =>
  owner !== null && owner.installationId === installationId && allocationsEnded.has(owner.allocationId)

const actionOf = (removed: boolean): Leftover['action'] => (removed ? 'removed' : 'kept')

async function sweepInitScripts(parts: SweepParts, { request, servers }: Sweep, call: Call): Promise<Leftover[]> {
  const leftovers: Leftover[] = []
  for (const script of await listInitScripts(parts.client, call)) {
    const owner = parseOwnerTag(script.initScriptDescription)
    if (!isUnwanted(owner, request) && !hasServed(owner, servers, request)) continue
    if (parts.groupsInFlight.has(script.initScriptName)) continue
    const order = parts.client.change(
      { action: 'deleteInitScripts', parameters: { initScriptNoList: [script.initScriptNo] } },
      call,
    )
    leftovers.push(scriptLeftover(script, await accepts(order)))
  }
  return leftovers
}

const scriptLeftover = (script: InitScript, removed: boolean): Leftover => ({
  kind: 'init-script',
  id: script.initScriptNo,
  name: script.initScriptName,
  action: actionOf(removed),
})

function hasServed(owner: OwnerTag | null, servers: readonly Server[], { installationId }: SweepRequest): boolean {
  if (owner === null || owner.installationId !== installationId) return false
  const group = servers.filter((server) => ownerOf(server)?.group === owner.group)
  return group.length > 0 && group.every((server) => stateOf(server) !== 'building')
}

async function sweepFabrics({ client }: SweepParts, { request, servers }: Sweep, call: Call): Promise<Leftover[]> {
  const leftovers: Leftover[] = []
  for (const fabric of await listFabrics(client, call)) {
    const owner = parseOwnerTag(fabric.fabricClusterDescription)
    if (!isUnwanted(owner, request) && !isDeserted(fabric, owner, { request, servers })) continue
    if (fabric.fabricClusterStatus === 'TERMTING') continue // on its way out already
    leftovers.push({
      kind: 'fabric-cluster',
      id: fabric.fabricClusterNo,
      name: fabric.fabricClusterName,
      action: actionOf(await accepts(dissolve(client, { fabric, servers }, call))),
    })
  }
  return leftovers
}

/** Whether the allocation's nodes are up in another pool and none is in this one: it was placed again. */
function isDeserted(fabric: FabricCluster, owner: OwnerTag | null, { request, servers }: Sweep): boolean {
  if (owner === null || owner.installationId !== request.installationId || fabric.fabricClusterPoolNo === '')
    return false
  const its = servers.filter((server) => ownerOf(server)?.allocationId === owner.allocationId)
  const isElsewhere = (server: Server): boolean =>
    server.fabricClusterPoolNo !== '' && server.fabricClusterPoolNo !== fabric.fabricClusterPoolNo
  return its.some(isReady) && its.every(isElsewhere)
}

async function sweepPublicIps({ publicIps }: SweepParts, request: SweepRequest, call: Call): Promise<Leftover[]> {
  const leftovers: Leftover[] = []
  for (const { publicIp, owner, isTakenOff } of await publicIps.own(call)) {
    if (owner.installationId !== request.installationId || !(isTakenOff || isUnwanted(owner, request))) continue
    leftovers.push({
      kind: 'public-ip',
      id: publicIp.publicIpInstanceNo,
      name: publicIp.publicIp,
      action: actionOf(await publicIps.remove(publicIp, call)),
    })
  }
  return leftovers
}
