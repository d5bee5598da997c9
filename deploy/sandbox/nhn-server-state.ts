/** What a server is at an instant, from its record alone, and how Nova then describes it. */
import { createHash } from 'node:crypto'
import { USER_ID } from './nhn-identity.ts'
import { NETWORKS } from './nhn-records.ts'
import type { FloatingIpRecord, NhnWorld, ServerRecord, Status } from './nhn-records.ts'
import { linksOf, microseconds, secondsZ } from './nhn-wire.ts'
import { NHN } from './settings.ts'

/** Parts of its way from accepted to ready at which a server is scheduled, gets its addresses, and its disk. */
const SCHEDULED_AT = 0.1
const NETWORKED_AT = 0.5
const DISK_AT = 0.7

export interface ServerState {
  readonly status: Status
  readonly task: string | null
  /** How far its build has come, 0…1. */
  readonly progress: number
  readonly updatedAtMs: number
}

export const isGone = (server: ServerRecord, nowMs: number): boolean =>
  server.deletion !== null && server.deletion.goneAtMs <= nowMs

export function stateOf(server: ServerRecord, nowMs: number): ServerState {
  const progress = progressOf(server, nowMs)
  const updatedAtMs = Math.max(...instantsOf(server).filter((at) => at <= nowMs), server.createdAtMs)
  if (isGone(server, nowMs)) return { status: 'DELETED', task: null, progress, updatedAtMs }
  const living = livingState(server, nowMs, progress)
  return { ...living, task: server.deletion === null ? living.task : 'deleting', progress, updatedAtMs }
}

function livingState(server: ServerRecord, nowMs: number, progress: number): { status: Status; task: string | null } {
  const { failure, change } = server
  if (failure !== null && failure.atMs <= nowMs) return { status: 'ERROR', task: null }
  if (nowMs < server.readyAtMs) return { status: 'BUILD', task: buildTask(progress) }
  if (change === null) return { status: 'ACTIVE', task: null }
  return nowMs < change.untilMs ? { status: change.status, task: change.task } : { status: change.then, task: null }
}

function progressOf({ createdAtMs, readyAtMs }: ServerRecord, nowMs: number): number {
  if (nowMs >= readyAtMs) return 1
  return Math.max(0, (nowMs - createdAtMs) / (readyAtMs - createdAtMs))
}

function buildTask(progress: number): string | null {
  if (progress < SCHEDULED_AT) return 'scheduling'
  if (progress < 0.2) return null
  if (progress < NETWORKED_AT) return 'networking'
  return progress < DISK_AT ? 'block_device_mapping' : 'spawning'
}

const instantsOf = ({ readyAtMs, failure, change, editedAtMs, deletion }: ServerRecord): number[] => [
  failure?.atMs ?? readyAtMs,
  editedAtMs,
  ...(change === null ? [] : [change.sinceMs, change.untilMs]),
  ...(deletion === null ? [] : [deletion.askedAtMs, deletion.goneAtMs]),
]

export const vmStateOf = (status: Status): string => VM_STATE[status].vmState

const VM_STATE: Readonly<Record<Status, { readonly vmState: string; readonly power: number }>> = {
  BUILD: { vmState: 'building', power: 0 },
  ACTIVE: { vmState: 'active', power: 1 },
  REBOOT: { vmState: 'active', power: 1 },
  HARD_REBOOT: { vmState: 'active', power: 1 },
  SHUTOFF: { vmState: 'stopped', power: 4 },
  ERROR: { vmState: 'error', power: 0 },
  DELETED: { vmState: 'deleted', power: 0 },
}

/** A server as `/servers` lists it. */
export const briefly = ({ id, name }: ServerRecord): object => ({ id, name, links: linksOf('servers', id) })

/** A server as `/servers/detail` and `/servers/{id}` show it. */
export function inDetail(
  world: NhnWorld,
  server: ServerRecord,
  floatingIps: ReadonlyMap<string, FloatingIpRecord>,
): object {
  const nowMs = world.now()
  const state = stateOf(server, nowMs)
  const { vmState, power } = VM_STATE[state.status]
  const launched = state.progress === 1 && server.failure === null
  return {
    id: server.id,
    name: server.name,
    status: state.status,
    tenant_id: NHN.tenantId,
    user_id: USER_ID,
    created: secondsZ(server.createdAtMs),
    updated: secondsZ(state.updatedAtMs),
    hostId: state.progress < SCHEDULED_AT ? '' : createHash('sha224').update(server.id).digest('hex'),
    key_name: server.keyName,
    metadata: server.metadata,
    accessIPv4: '',
    accessIPv6: '',
    progress: 0,
    config_drive: '',
    links: linksOf('servers', server.id),
    image: server.imageRef === null ? '' : { id: server.imageRef, links: linksOf('images', server.imageRef).slice(1) },
    flavor: { id: server.flavorId, links: linksOf('flavors', server.flavorId).slice(1) },
    security_groups: server.securityGroups.map((name) => ({ name })),
    addresses: addressesOf(server, state, floatingIps),
    'OS-DCF:diskConfig': 'MANUAL',
    'OS-EXT-AZ:availability_zone': state.progress < SCHEDULED_AT ? '' : server.zone,
    'OS-EXT-STS:task_state': state.task,
    'OS-EXT-STS:vm_state': vmState,
    'OS-EXT-STS:power_state': power,
    'OS-SRV-USG:launched_at': launched ? microseconds(server.readyAtMs) : null,
    'OS-SRV-USG:terminated_at': state.status === 'DELETED' ? microseconds(state.updatedAtMs) : null,
    'os-extended-volumes:volumes_attached': server.volumeIds.map((id) => ({ id })),
    'NHN-EXT-ATTR:ephemeral_disk_size': 0,
    'NHN-EXT-ATTR:protect': server.protect,
    ...(state.status === 'ERROR' && server.failure !== null ? { fault: faultOf(server.failure) } : {}),
  }
}

const faultOf = ({ atMs, message }: { readonly atMs: number; readonly message: string }): object => ({
  code: 500,
  created: secondsZ(atMs),
  message,
})

/** By name of the VPC; none before networking is done, and none on a server that never got a host. */
function addressesOf(
  { nics, failure }: ServerRecord,
  { progress, status }: ServerState,
  floatingIps: ReadonlyMap<string, FloatingIpRecord>,
): object {
  if (progress < NETWORKED_AT || (failure !== null && status === 'ERROR')) return {}
  const byName: Record<string, object[]> = {}
  for (const { networkId, address, mac, portId } of nics) {
    const name = NETWORKS.find(({ id }) => id === networkId)?.name ?? networkId
    const fixed = { addr: address, version: 4, 'OS-EXT-IPS:type': 'fixed', 'OS-EXT-IPS-MAC:mac_addr': mac }
    const floating = floatingIps.get(portId)
    byName[name] = [
      ...(byName[name] ?? []),
      fixed,
      ...(floating === undefined ? [] : [{ ...fixed, addr: floating.address, 'OS-EXT-IPS:type': 'floating' }]),
    ]
  }
  return byName
}

/** The floating addresses by the port that they stand on. */
export const floatingByPort = (world: NhnWorld): ReadonlyMap<string, FloatingIpRecord> =>
  new Map(world.floatingIps.values().flatMap((ip) => (ip.portId === null ? [] : [[ip.portId, ip] as const])))
