/** Network interfaces: those of an instance, all of them on the vpc host, and the security groups on them. */
import type { SandboxResponse } from './harness.ts'
import { flavorOf } from './kakao-instance-view.ts'
import { actionAnswer } from './kakao-actions.ts'
import { SUCCESS } from './kakao-knobs.ts'
import { VPC } from './kakao-seed.ts'
import { boundIp } from './kakao-public-ips.ts'
import { existingInstance, look, visibleInstance } from './kakao-state.ts'
import type { InstanceRecord, KakaoState, NetworkInterface } from './kakao-state.ts'
import { listAnswer, ServiceRefusal, stamp } from './kakao-wire.ts'
import type { FieldValue } from './kakao-wire.ts'

interface Owned {
  readonly instance: InstanceRecord
  readonly face: NetworkInterface
}

export function listInterfacesOf(state: KakaoState, id: string, query: URLSearchParams): SandboxResponse {
  const instance = visibleInstance(state, id)
  // Before the network is set up there is none to be seen.
  const rows = look(state, instance).networked ? instance.interfaces.map((face) => ({ instance, face })) : []
  return list(state, rows, query)
}

export function listInterfaces(state: KakaoState, query: URLSearchParams): SandboxResponse {
  const rows = state.instances
    .values()
    .filter((instance) => look(state, instance).networked)
    .flatMap((instance) => instance.interfaces.map((face) => ({ instance, face })))
  return list(state, rows, query)
}

/** Interfaces are made with their instances here, so there is none to attach. */
export function attachInterface(state: KakaoState, id: string, interfaceId: string): SandboxResponse {
  refuseBareMetal(existingInstance(state, id))
  throw new ServiceRefusal(404, `Network interface ${interfaceId} could not be found.`)
}

export function detachInterface(state: KakaoState, id: string, interfaceId: string): SandboxResponse {
  const instance = existingInstance(state, id)
  refuseBareMetal(instance)
  interfaceOf(instance, interfaceId)
  if (instance.interfaces[0]?.id === interfaceId)
    throw new ServiceRefusal(409, 'The primary network interface cannot be detached.')
  const interfaces = instance.interfaces.filter((face) => face.id !== interfaceId)
  state.instances.set(id, { ...instance, interfaces })
  return { status: SUCCESS.remove }
}

interface GroupPlace {
  readonly instanceId: string
  readonly interfaceId: string
  readonly groupId: string
}

/** Taken on bare metal too, where it is not enforced. */
export function attachSecurityGroup(state: KakaoState, { groupId, ...place }: GroupPlace): SandboxResponse {
  if (!state.securityGroups.has(groupId)) throw new ServiceRefusal(404, `Security group ${groupId} could not be found.`)
  changeGroups(state, place, (ids) => [...new Set([...ids, groupId])])
  return { status: SUCCESS.other, body: { security_group: { ids: [groupId] } } }
}

export function detachSecurityGroup(state: KakaoState, { groupId, ...place }: GroupPlace): SandboxResponse {
  changeGroups(state, place, (ids) => ids.filter((id) => id !== groupId))
  return actionAnswer(state)
}

function changeGroups(
  state: KakaoState,
  { instanceId, interfaceId }: Omit<GroupPlace, 'groupId'>,
  change: (ids: readonly string[]) => readonly string[],
): void {
  const instance = existingInstance(state, instanceId)
  interfaceOf(instance, interfaceId)
  const interfaces = instance.interfaces.map((face) =>
    face.id === interfaceId ? { ...face, securityGroupIds: change(face.securityGroupIds) } : face,
  )
  state.instances.set(instanceId, { ...instance, interfaces })
}

function refuseBareMetal(instance: InstanceRecord): void {
  if (flavorOf(instance).instanceType === 'bm')
    throw new ServiceRefusal(409, 'Network interfaces of bare metal cannot be changed.')
}

function interfaceOf({ interfaces }: InstanceRecord, id: string): NetworkInterface {
  const face = interfaces.find((candidate) => candidate.id === id)
  if (face === undefined) throw new ServiceRefusal(404, `Network interface ${id} could not be found.`)
  return face
}

function list(state: KakaoState, rows: readonly Owned[], query: URLSearchParams): SandboxResponse {
  return listAnswer({
    noun: 'network_interfaces',
    rows,
    query,
    exact: ['id', 'status', 'subnet_id', 'private_ip', 'device_id', 'mac_address'],
    substring: ['name'],
    field: (owned, name) => field(owned, name),
    view: (owned) => interfaceView(state, owned),
  })
}

const fields = ({ instance, face }: Owned): Readonly<Record<string, FieldValue>> => ({
  id: face.id,
  name: instance.name,
  status: 'in_use',
  vpc_id: VPC.id,
  subnet_id: face.subnetId,
  private_ip: face.privateIp,
  mac_address: face.macAddress,
  device_id: instance.id,
  device_owner: 'compute',
  created_at: stamp(instance.createdAt),
  updated_at: stamp(instance.createdAt),
})

const field = (owned: Owned, name: string): FieldValue | undefined => fields(owned)[name]

const interfaceView = (state: KakaoState, owned: Owned): object => ({
  ...fields(owned),
  public_ip: boundIp(state, owned.face.id)?.address ?? null,
  security_groups: owned.face.securityGroupIds.map((id) => ({ id, name: state.securityGroups.get(id)?.name ?? null })),
  allowed_address_pairs: [],
  secondary_ips: [],
  is_network_interface_security_enabled: true,
})
