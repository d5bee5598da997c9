/** Volumes, on the volume host and on instances. One that is not marked for deletion survives its instance. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { SandboxResponse } from './harness.ts'
import { flavorOf } from './kakao-instance-view.ts'
import { SUCCESS } from './kakao-knobs.ts'
import { IMAGES, USER_ID, VOLUME_TYPES, ZONES } from './kakao-seed.ts'
import { attachedTo, existingInstance, existingVolumes, look } from './kakao-state.ts'
import type { InstanceRecord, KakaoState, VolumeRecord } from './kakao-state.ts'
import { listAnswer, parseBody, ServiceRefusal, stamp } from './kakao-wire.ts'
import type { FieldValue } from './kakao-wire.ts'
import { KAKAO } from './settings.ts'

const MAX_VOLUME_GB = 16_384

const NewVolume = z.object({
  volume: z.object({
    name: z.string(),
    description: z.string().nullish(),
    size: z.int(),
    availability_zone: z.string(),
    volume_type_id: z.string().nullish(),
    image_id: z.string().nullish(),
  }),
})

export function createVolume(state: KakaoState, body: Buffer): SandboxResponse {
  const { volume: asked } = parseBody(body, NewVolume)
  if (asked.size < 1 || asked.size > MAX_VOLUME_GB) throw new ServiceRefusal(400, `size must be 1 to ${MAX_VOLUME_GB}`)
  if (!(ZONES as readonly string[]).includes(asked.availability_zone))
    throw new ServiceRefusal(400, `availability_zone ${asked.availability_zone} does not exist`)
  const typeId = asked.volume_type_id ?? VOLUME_TYPES[0].id
  if (!VOLUME_TYPES.some(({ id }) => id === typeId))
    throw new ServiceRefusal(400, `volume type ${typeId} does not exist`)
  const imageId = asked.image_id ?? null
  if (imageId !== null && !IMAGES.some(({ id }) => id === imageId))
    throw new ServiceRefusal(400, `image ${imageId} could not be found`)
  const volume: VolumeRecord = {
    id: randomUUID(),
    name: asked.name,
    description: asked.description ?? null,
    sizeGb: asked.size,
    zone: asked.availability_zone,
    typeId,
    imageId,
    createdAt: state.context.now(),
    attachment: null,
  }
  state.volumes.set(volume.id, volume)
  state.context.ledger.made({ kind: 'volume', id: volume.id, name: volume.name, atMs: volume.createdAt })
  return { status: SUCCESS.create, body: { volume: volumeView(state, volume) } }
}

export function listVolumes(state: KakaoState, query: URLSearchParams): SandboxResponse {
  return listAnswer({
    noun: 'volumes',
    rows: existingVolumes(state),
    query,
    exact: [
      'id',
      'status',
      'instance_id',
      'availability_zone',
      'size',
      'is_bootable',
      'is_root',
      'created_at',
      'updated_at',
    ],
    substring: ['name', 'instance_name'],
    field: (volume, name) => fields(state, volume)[name],
    view: (volume) => volumeView(state, volume),
  })
}

export const listVolumeTypes = (): SandboxResponse => ({ status: SUCCESS.other, body: { volume_types: VOLUME_TYPES } })

export const getVolume = (state: KakaoState, id: string): SandboxResponse => ({
  status: SUCCESS.other,
  body: { volume: volumeView(state, existing(state, id)) },
})

export function deleteVolume(state: KakaoState, id: string): SandboxResponse {
  const volume = existing(state, id)
  if (attachedTo(state, volume) !== null) throw new ServiceRefusal(409, `Volume ${id} is in use.`)
  state.volumes.delete(id)
  state.context.ledger.gone('volume', id, state.context.now())
  return { status: SUCCESS.remove }
}

const Attachment = z.object({ volume: z.object({ is_delete_on_termination: z.boolean().nullish() }) })

export function attachVolume(state: KakaoState, instanceId: string, volumeId: string, body: Buffer): SandboxResponse {
  const instance = idleInstance(state, instanceId)
  const volume = existing(state, volumeId)
  const { is_delete_on_termination: deleteOnTermination } = parseBody(body, Attachment).volume
  if (attachedTo(state, volume) !== null) throw new ServiceRefusal(409, `Volume ${volumeId} is in use.`)
  if (volume.zone !== instance.zone) throw new ServiceRefusal(400, `Volume ${volumeId} is not in ${instance.zone}`)
  const taken = existingVolumes(state).filter(({ attachment }) => attachment?.instanceId === instanceId).length
  const attached: VolumeRecord = {
    ...volume,
    attachment: {
      instanceId,
      mountPoint: `/dev/vd${String.fromCodePoint(97 + taken)}`,
      isRoot: false,
      deleteOnTermination: deleteOnTermination ?? false,
    },
  }
  state.volumes.set(volumeId, attached)
  return { status: SUCCESS.action, body: { volume: volumeView(state, attached) } }
}

export function changeAttachedVolume(
  state: KakaoState,
  instanceId: string,
  volumeId: string,
  body: Buffer,
): SandboxResponse {
  const { attachment, ...volume } = attachedVolume(state, instanceId, volumeId)
  const { is_delete_on_termination: deleteOnTermination } = parseBody(body, Attachment).volume
  const changed = {
    ...volume,
    attachment: { ...attachment, deleteOnTermination: deleteOnTermination ?? attachment.deleteOnTermination },
  }
  state.volumes.set(volumeId, changed)
  return { status: SUCCESS.other, body: { volume: volumeView(state, changed) } }
}

export function detachVolume(state: KakaoState, instanceId: string, volumeId: string): SandboxResponse {
  idleInstance(state, instanceId)
  const volume = attachedVolume(state, instanceId, volumeId)
  if (volume.attachment.isRoot) throw new ServiceRefusal(409, 'The root volume cannot be detached.')
  state.volumes.set(volumeId, { ...volume, attachment: null })
  return { status: SUCCESS.remove }
}

/** @throws ServiceRefusal 409 for bare metal, and for what is neither active nor stopped */
function idleInstance(state: KakaoState, id: string): InstanceRecord {
  const instance = existingInstance(state, id)
  if (flavorOf(instance).instanceType === 'bm') throw new ServiceRefusal(409, 'Bare metal takes no volumes.')
  const { idle, status } = look(state, instance)
  if (idle !== 'active' && idle !== 'stopped') throw new ServiceRefusal(409, `Instance ${id} is ${status}`)
  return instance
}

function attachedVolume(
  state: KakaoState,
  instanceId: string,
  volumeId: string,
): VolumeRecord & { readonly attachment: NonNullable<VolumeRecord['attachment']> } {
  existingInstance(state, instanceId)
  const volume = existing(state, volumeId)
  if (volume.attachment?.instanceId !== instanceId)
    throw new ServiceRefusal(404, `Volume ${volumeId} is not attached to instance ${instanceId}.`)
  return { ...volume, attachment: volume.attachment }
}

function existing(state: KakaoState, id: string): VolumeRecord {
  const volume = existingVolumes(state).find((candidate) => candidate.id === id)
  if (volume === undefined) throw new ServiceRefusal(404, `Volume ${id} could not be found.`)
  return volume
}

function fields(state: KakaoState, volume: VolumeRecord): Readonly<Record<string, FieldValue>> {
  const instance = attachedTo(state, volume)
  const attachment = instance === null ? null : volume.attachment
  return {
    id: volume.id,
    name: volume.name,
    description: volume.description,
    size: volume.sizeGb,
    status: statusOf(state, instance),
    attach_status: instance === null ? 'detached' : 'attached',
    availability_zone: volume.zone,
    instance_id: instance?.id ?? null,
    instance_name: instance?.name ?? null,
    mount_point: attachment?.mountPoint ?? null,
    is_root: attachment?.isRoot ?? false,
    is_bootable: volume.imageId !== null,
    is_encrypted: false,
    type: 'network',
    volume_type: VOLUME_TYPES.find(({ id }) => id === volume.typeId)?.name ?? null,
    user_id: USER_ID,
    project_id: KAKAO.projectId,
    created_at: stamp(volume.createdAt),
    updated_at: stamp(volume.createdAt),
  }
}

function statusOf(state: KakaoState, instance: InstanceRecord | null): string {
  if (instance === null) return 'available'
  return look(state, instance).vmState === 'building' ? 'reserved' : 'in_use'
}

const volumeView = (state: KakaoState, volume: VolumeRecord): object => ({ ...fields(state, volume), metadata: {} })
