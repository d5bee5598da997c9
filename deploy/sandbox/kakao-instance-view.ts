/** How an instance looks in answers: the shape of lists and detail, and the other shape that changes answer with. */
import { flavorInInstance } from './kakao-flavors.ts'
import { imageInInstance } from './kakao-images.ts'
import { FLAVORS, IMAGES, USER_ID } from './kakao-seed.ts'
import type { Flavor } from './kakao-seed.ts'
import { attachedTo, boundTo, look } from './kakao-state.ts'
import type { InstanceRecord, KakaoState, NetworkInterface, PublicIpRecord, VolumeRecord } from './kakao-state.ts'
import { stamp } from './kakao-wire.ts'
import { KAKAO } from './settings.ts'

/** What hangs on instances, looked up once for a whole list. */
export interface Surroundings {
  readonly state: KakaoState
  volumesOf(instanceId: string): readonly VolumeRecord[]
  publicIpOf(interfaceId: string): PublicIpRecord | null
}

export function surroundingsOf(state: KakaoState): Surroundings {
  const volumes = Map.groupBy(state.volumes.values(), ({ attachment }) => attachment?.instanceId ?? null)
  const publicIps = new Map(state.publicIps.values().map((ip) => [ip.attachment?.interfaceId ?? null, ip]))
  return {
    state,
    volumesOf: (instanceId) => (volumes.get(instanceId) ?? []).filter((volume) => attachedTo(state, volume) !== null),
    publicIpOf: (interfaceId) => {
      const ip = publicIps.get(interfaceId)
      return ip !== undefined && boundTo(state, ip) !== null ? ip : null
    },
  }
}

/** @throws Error where the record names a flavor that is not in the seed: a bug */
export function flavorOf({ flavorId }: InstanceRecord): Flavor {
  const flavor = FLAVORS.find(({ id }) => id === flavorId)
  if (flavor === undefined) throw new Error(`an instance has the unknown flavor ${flavorId}`)
  return flavor
}

/** The shape of `GET /instances` and `GET /instances/{id}`. There is no fault in it: reasons stand in the action log. */
export function instanceView(instance: InstanceRecord, around: Surroundings): object {
  const { status, vmState, taskState, powerState, networked, gone, updatedAt } = look(around.state, instance)
  const flavor = flavorOf(instance)
  const volumes = gone ? [] : around.volumesOf(instance.id)
  const groups = securityGroupsOf(around.state, instance)
  return {
    id: instance.id,
    name: instance.name,
    description: instance.description,
    hostname: hostnameOf(instance),
    status,
    vm_state: vmState,
    task_state: taskState,
    power_state: powerState,
    instance_type: flavor.instanceType,
    availability_zone: instance.zone,
    flavor: flavorInInstance(flavor),
    image: imageInInstance(instance.imageId),
    addresses: networked && !gone ? instance.interfaces.map((face) => address(face, around)) : [],
    attached_volumes: volumes.map(attachedVolume),
    attached_volume_count: volumes.length,
    security_groups: groups,
    security_group_count: groups.length,
    is_hyper_threading: instance.hyperThreading,
    is_hadoop: false,
    is_k8se: false,
    key_name: instance.keyName,
    user_id: USER_ID,
    project_id: KAKAO.projectId,
    created_at: stamp(instance.createdAt),
    updated_at: stamp(updatedAt),
    // No document names it: answers may grow.
    is_maintenance_reserved: false,
  }
}

/** What changing and rebuilding answer: no status, other addresses, `metadata` and `terminated_at`. */
export function changedInstanceView(instance: InstanceRecord, around: Surroundings): object {
  const { vmState, taskState, powerState, updatedAt } = look(around.state, instance)
  return {
    id: instance.id,
    name: instance.name,
    description: instance.description,
    hostname: hostnameOf(instance),
    vm_state: vmState,
    task_state: taskState,
    power_state: powerState,
    instance_type: flavorOf(instance).instanceType,
    availability_zone: instance.zone,
    flavor: flavorInInstance(flavorOf(instance)),
    addresses: instance.interfaces.map(({ privateIp }) => ({ private_ip: privateIp })),
    attached_volumes: around.volumesOf(instance.id).map(attachedVolume),
    security_groups: securityGroupsOf(around.state, instance),
    metadata: {},
    key_name: instance.keyName,
    user_id: USER_ID,
    project_id: KAKAO.projectId,
    created_at: stamp(instance.createdAt),
    updated_at: stamp(updatedAt),
    terminated_at: null,
  }
}

/** What lists of instances are filtered and sorted by. */
export function instanceField(
  state: KakaoState,
  instance: InstanceRecord,
  name: string,
): string | number | boolean | null | undefined {
  switch (name) {
    case 'id':
    case 'name':
      return instance[name]
    case 'created_at':
      return stamp(instance.createdAt)
    case 'updated_at':
      return stamp(look(state, instance).updatedAt)
    case 'status':
      return look(state, instance).status
    case 'vm_state':
      return look(state, instance).vmState
    case 'hostname':
      return hostnameOf(instance)
    case 'availability_zone':
      return instance.zone
    case 'instance_type':
      return flavorOf(instance).instanceType
    case 'flavor_name':
      return flavorOf(instance).name
    case 'image_name':
      return IMAGES.find(({ id }) => id === instance.imageId)?.name ?? null
    case 'private_ip':
      return instance.interfaces[0]?.privateIp ?? null
    case 'user_id':
      return USER_ID
    case 'os_type':
      return 'linux'
    case 'is_hadoop':
    case 'is_k8se':
      return false
    default:
      return undefined
  }
}

const hostnameOf = ({ interfaces }: InstanceRecord): string =>
  `host-${(interfaces[0]?.privateIp ?? '0.0.0.0').replaceAll('.', '-')}`

function securityGroupsOf(state: KakaoState, { interfaces }: InstanceRecord): { id: string; name: string }[] {
  const ids = new Set(interfaces.flatMap(({ securityGroupIds }) => securityGroupIds))
  return [...ids].flatMap((id) => {
    const group = state.securityGroups.get(id)
    return group === undefined ? [] : [{ id, name: group.name }]
  })
}

function address({ id, privateIp }: NetworkInterface, around: Surroundings): object {
  const ip = around.publicIpOf(id)
  const readyAt = ip?.attachment?.readyAt ?? Number.POSITIVE_INFINITY
  return {
    private_ip: privateIp,
    public_ip: around.state.context.now() >= readyAt ? (ip?.address ?? null) : null,
    network_interface_id: id,
  }
}

const attachedVolume = ({ id, name, sizeGb, attachment, createdAt }: VolumeRecord): object => ({
  id,
  name,
  status: 'in_use',
  mount_point: attachment?.mountPoint ?? null,
  type: 'SSD',
  size: sizeGb,
  is_delete_on_termination: attachment?.deleteOnTermination ?? false,
  is_root: attachment?.isRoot ?? false,
  created_at: stamp(createdAt),
})
