/** Which call of which service is answered by what: the list of what this operator can do. */
import type { SandboxRequest, SandboxResponse } from './harness.ts'
import { act, actionLogs, consoleLogs, password, rebuild, resize, SIMPLE_ACTIONS } from './kakao-actions.ts'
import { clientEndpoints, clientMetadata, zonePolicies } from './kakao-discovery.ts'
import { getFlavor, listFlavors } from './kakao-flavors.ts'
import { getImage, listImages } from './kakao-images.ts'
import { changeInstance, createInstances, deleteInstance, getInstance, listInstances } from './kakao-instances.ts'
import {
  attachInterface,
  attachSecurityGroup,
  detachInterface,
  detachSecurityGroup,
  listInterfaces,
  listInterfacesOf,
} from './kakao-interfaces.ts'
import { createKeypair, deleteKeypair, getKeypair, listKeypairs } from './kakao-keypairs.ts'
import {
  addRule,
  createSecurityGroup,
  deleteSecurityGroup,
  getSecurityGroup,
  getSubnet,
  getVpc,
  listSecurityGroups,
  listSubnets,
  listVpcs,
  removeRule,
} from './kakao-networks.ts'
import {
  attachNewPublicIp,
  attachPublicIp,
  bindPublicIp,
  changePublicIp,
  createPublicIp,
  deletePublicIp,
  getPublicIp,
  listPublicIps,
  removePublicIp,
  unbindPublicIp,
} from './kakao-public-ips.ts'
import type { KakaoState } from './kakao-state.ts'
import {
  attachVolume,
  changeAttachedVolume,
  createVolume,
  deleteVolume,
  detachVolume,
  getVolume,
  listVolumes,
  listVolumeTypes,
} from './kakao-volumes.ts'

interface KakaoCall {
  readonly state: KakaoState
  readonly request: SandboxRequest
  readonly query: URLSearchParams
  readonly body: Buffer
  /** What stands in the path where the route has `:`, in order; empty where the route has fewer. */
  readonly ids: readonly [string, string, string]
}

type Handler = (call: KakaoCall) => SandboxResponse

interface Route {
  readonly method: string
  readonly segments: readonly string[]
  readonly handler: Handler
}

const INSTANCE = '/bcs/api/v1/instances/:'
const INTERFACE = `${INSTANCE}/network-interfaces/:`

const ROUTES: readonly Route[] = [
  on('POST /bcs/api/v1/instances', ({ state, body }) => createInstances(state, body)),
  on('GET /bcs/api/v1/instances', ({ state, query }) => listInstances(state, query)),
  on(`GET ${INSTANCE}`, ({ state, ids: [id] }) => getInstance(state, id)),
  on(`PUT ${INSTANCE}`, ({ state, ids: [id], body }) => changeInstance(state, id, body)),
  on(`DELETE ${INSTANCE}`, ({ state, ids: [id] }) => deleteInstance(state, id)),
  ...SIMPLE_ACTIONS.map((action) => on(`POST ${INSTANCE}/${action}`, ({ state, ids: [id] }) => act(state, id, action))),
  on(`POST ${INSTANCE}/resize`, ({ state, ids: [id], body }) => resize(state, id, body)),
  on(`POST ${INSTANCE}/rebuild`, ({ state, ids: [id], body }) => rebuild(state, id, body)),
  on(`GET ${INSTANCE}/console-logs`, ({ state, ids: [id] }) => consoleLogs(state, id)),
  on(`GET ${INSTANCE}/action-logs`, ({ state, ids: [id] }) => actionLogs(state, id)),
  on(`GET ${INSTANCE}/password`, ({ state, ids: [id] }) => password(state, id)),
  on(`GET ${INSTANCE}/network-interfaces`, ({ state, ids: [id], query }) => listInterfacesOf(state, id, query)),
  on(`POST ${INTERFACE}`, ({ state, ids: [id, face] }) => attachInterface(state, id, face)),
  on(`DELETE ${INTERFACE}`, ({ state, ids: [id, face] }) => detachInterface(state, id, face)),
  on(`POST ${INTERFACE}/public-ips`, ({ state, ids: [id, face] }) => attachNewPublicIp(state, id, face)),
  on(`PUT ${INTERFACE}/public-ips/:`, ({ state, ids: [instanceId, interfaceId, publicIpId] }) =>
    attachPublicIp(state, { instanceId, interfaceId, publicIpId }),
  ),
  on(`DELETE ${INTERFACE}/public-ips`, ({ state, ids: [instanceId, interfaceId], query }) =>
    removePublicIp(state, { instanceId, interfaceId, deletes: query.get('is_delete')?.toLowerCase() === 'true' }),
  ),
  on(`POST ${INTERFACE}/security-groups/:`, ({ state, ids: [instanceId, interfaceId, groupId] }) =>
    attachSecurityGroup(state, { instanceId, interfaceId, groupId }),
  ),
  on(`DELETE ${INTERFACE}/security-groups/:`, ({ state, ids: [instanceId, interfaceId, groupId] }) =>
    detachSecurityGroup(state, { instanceId, interfaceId, groupId }),
  ),
  on(`POST ${INSTANCE}/volumes/:`, ({ state, ids: [id, volume], body }) => attachVolume(state, id, volume, body)),
  on(`PUT ${INSTANCE}/volumes/:`, ({ state, ids: [id, volume], body }) =>
    changeAttachedVolume(state, id, volume, body),
  ),
  on(`DELETE ${INSTANCE}/volumes/:`, ({ state, ids: [id, volume] }) => detachVolume(state, id, volume)),

  on('GET /bcs/api/v1/flavors', ({ state, query }) => listFlavors(state, query)),
  on('GET /bcs/api/v1/flavors/:', ({ state, ids: [id] }) => getFlavor(state, id)),
  on('POST /bcs/api/v1/keypairs', ({ state, body }) => createKeypair(state, body)),
  on('GET /bcs/api/v1/keypairs', ({ state, query }) => listKeypairs(state, query)),
  on('GET /bcs/api/v1/keypairs/:', ({ state, ids: [name] }) => getKeypair(state, name)),
  on('DELETE /bcs/api/v1/keypairs/:', ({ state, ids: [name] }) => deleteKeypair(state, name)),

  on('GET /image/api/v1/images', ({ query }) => listImages(query)),
  on('GET /image/api/v1/images/:', ({ ids: [id] }) => getImage(id)),

  on('POST /volume/api/v1/volumes', ({ state, body }) => createVolume(state, body)),
  on('GET /volume/api/v1/volumes', ({ state, query }) => listVolumes(state, query)),
  on('GET /volume/api/v1/volumes/types', () => listVolumeTypes()),
  on('GET /volume/api/v1/volumes/:', ({ state, ids: [id] }) => getVolume(state, id)),
  on('DELETE /volume/api/v1/volumes/:', ({ state, ids: [id] }) => deleteVolume(state, id)),

  on('GET /vpc/api/v1/vpcs', ({ query }) => listVpcs(query)),
  on('GET /vpc/api/v1/vpcs/:', ({ ids: [id] }) => getVpc(id)),
  on('GET /vpc/api/v1/subnets', ({ query }) => listSubnets(query)),
  on('GET /vpc/api/v1/subnets/:', ({ ids: [id] }) => getSubnet(id)),
  on('GET /vpc/api/v1/network-interfaces', ({ state, query }) => listInterfaces(state, query)),

  on('POST /network/api/v1/security-groups', ({ state, body }) => createSecurityGroup(state, body)),
  on('GET /network/api/v1/security-groups', ({ state, query }) => listSecurityGroups(state, query)),
  on('GET /network/api/v1/security-groups/:', ({ state, ids: [id] }) => getSecurityGroup(state, id)),
  on('DELETE /network/api/v1/security-groups/:', ({ state, ids: [id] }) => deleteSecurityGroup(state, id)),
  on('POST /network/api/v1/security-groups/:/rules', ({ state, ids: [id], body }) => addRule(state, id, body)),
  on('DELETE /network/api/v1/security-groups/:/rules/:', ({ state, ids: [id, rule] }) => removeRule(state, id, rule)),
  on('POST /network/api/v1/public-ips', ({ state, body }) => createPublicIp(state, body)),
  on('GET /network/api/v1/public-ips', ({ state, query }) => listPublicIps(state, query)),
  on('GET /network/api/v1/public-ips/:', ({ state, ids: [id] }) => getPublicIp(state, id)),
  on('PUT /network/api/v1/public-ips/:', ({ state, ids: [id], body }) => changePublicIp(state, id, body)),
  on('DELETE /network/api/v1/public-ips/:', ({ state, ids: [id] }) => deletePublicIp(state, id)),
  on('PUT /network/api/v1/public-ips/:/network-interfaces/:', ({ state, ids: [id, face] }) =>
    bindPublicIp(state, id, face),
  ),
  on('DELETE /network/api/v1/public-ips/:/network-interfaces/:', ({ state, ids: [id, face] }) =>
    unbindPublicIp(state, id, face),
  ),

  on('GET /heimdall/api/v1/client-endpoints/resolve', ({ request }) => clientEndpoints(request.baseUrl)),
  on('GET /heimdall/api/v1/az-policies/resolve', () => zonePolicies()),
  on('GET /heimdall/api/v1/client-metadata/resolve', () => clientMetadata()),
]

/** Null where no service has such a call. */
export function routed({ method, path }: SandboxRequest): { handler: Handler; ids: KakaoCall['ids'] } | null {
  const segments = path.split('/')
  for (const route of ROUTES) {
    if (route.method !== method || route.segments.length !== segments.length) continue
    if (!route.segments.every((wanted, at) => wanted === ':' || wanted === segments[at])) continue
    const ids = segments.filter((_, at) => route.segments[at] === ':').map(decoded)
    return { handler: route.handler, ids: [ids[0] ?? '', ids[1] ?? '', ids[2] ?? ''] }
  }
  return null
}

function on(call: string, handler: Handler): Route {
  const [method = '', path = ''] = call.split(' ')
  return { method, segments: path.split('/'), handler }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
