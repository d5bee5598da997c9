/** What one accepted order becomes: an instance, its interfaces and addresses, its volumes. */
import { randomUUID } from 'node:crypto'
import { takeBuildFailure } from './behaviour.ts'
import { BUILD_FAULT_MESSAGE, NO_HOST_MESSAGE } from './kakao-knobs.ts'
import { TASK_PARTS } from './kakao-lifecycle.ts'
import type { Task } from './kakao-lifecycle.ts'
import type { NewInstance, Parts } from './kakao-rules.ts'
import { VOLUME_TYPES } from './kakao-seed.ts'
import { logged, look } from './kakao-state.ts'
import type { InstanceRecord, KakaoState, NetworkInterface } from './kakao-state.ts'
import { ServiceRefusal } from './kakao-wire.ts'

export interface Order {
  readonly asked: NewInstance
  readonly parts: Parts
  readonly groupIds: readonly string[]
  readonly name: string
}

/** Writes down one instance with its interfaces and volumes; whether it will ever run is decided here and told later. */
export function build(state: KakaoState, { asked, parts, groupIds, name }: Order): InstanceRecord {
  const { context } = state
  const id = randomUUID()
  const { task, failure } = buildTask(state)
  const startedAt = task.startedAt
  const instance: InstanceRecord = {
    id,
    name,
    description: asked.description ?? null,
    flavorId: parts.flavor.id,
    imageId: parts.image.id,
    zone: parts.zone,
    keyName: asked.key_name ?? null,
    interfaces: parts.subnets.map((subnet, index) =>
      newInterface(state, {
        subnetId: subnet.id,
        prefix: subnet.prefix,
        wanted: asked.subnets[index]?.private_ip ?? null,
        groupIds,
      }),
    ),
    hyperThreading: !(asked.is_disable_hyper_threading ?? true),
    createdAt: startedAt,
    stable: 'building',
    task,
    deletion: null,
    actions: [logged({ action: 'create', startedAt, finishedAt: startedAt + task.durationMs, failure })],
  }
  state.instances.set(id, instance)
  context.ledger.made({ kind: 'node', id, name, atMs: startedAt, onHardware: task.name !== 'build-without-host' })
  buildVolumes(state, instance, asked)
  return instance
}

function buildTask({ context }: KakaoState): { task: Task; failure: string | null } {
  const startedAt = context.now()
  const task = (name: Task['name'], endsIn: Task['endsIn']): Task => ({
    name,
    startedAt,
    durationMs: context.bootMs() * TASK_PARTS[name],
    endsIn,
  })
  if (context.freeNodes() === 0) return { task: task('build-without-host', 'error'), failure: NO_HOST_MESSAGE }
  if (takeBuildFailure(context.behaviour)) return { task: task('build', 'error'), failure: BUILD_FAULT_MESSAGE }
  return { task: task('build', 'active'), failure: null }
}

interface InterfaceOrder {
  readonly subnetId: string
  /** The first two octets. */
  readonly prefix: string
  readonly wanted: string | null
  readonly groupIds: readonly string[]
}

/** Addresses are handed out in turn: a subnet here has far more of them than one run ever makes instances. */
function newInterface(state: KakaoState, { subnetId, prefix, wanted, groupIds }: InterfaceOrder): NetworkInterface {
  if (wanted !== null) checkAddress(state, subnetId, { prefix, wanted })
  const number = state.context.store.nextNumber('addresses', 0)
  const host = 16 + (number % (65_536 - 32)) // the first and last few of a subnet are the operator's own
  return {
    id: randomUUID(),
    subnetId,
    privateIp: wanted ?? `${prefix}.${host >> 8}.${host & 255}`,
    macAddress: `fa:16:3e:${[16, 8, 0].map((shift) => ((number >> shift) & 255).toString(16).padStart(2, '0')).join(':')}`,
    securityGroupIds: groupIds,
  }
}

function checkAddress(
  state: KakaoState,
  subnetId: string,
  { prefix, wanted }: { prefix: string; wanted: string },
): void {
  const octets = wanted.split('.')
  const sound = octets.length === 4 && octets.every((octet) => /^\d{1,3}$/.test(octet) && Number(octet) < 256)
  if (!sound || !wanted.startsWith(`${prefix}.`))
    throw new ServiceRefusal(400, `private_ip ${wanted} is not in the subnet`)
  const taken = state.instances
    .values()
    .some(
      (other) =>
        !look(state, other).gone &&
        other.interfaces.some((face) => face.subnetId === subnetId && face.privateIp === wanted),
    )
  if (taken) throw new ServiceRefusal(409, `private_ip ${wanted} is in use`)
}

function buildVolumes(
  { volumes, context }: KakaoState,
  instance: InstanceRecord,
  { volumes: asked }: NewInstance,
): void {
  for (const [index, wanted] of (asked ?? []).entries()) {
    const id = randomUUID()
    const name = `${instance.name}-volume-${index}`
    volumes.set(id, {
      id,
      name,
      description: null,
      sizeGb: wanted.size,
      zone: instance.zone,
      typeId: wanted.type_id ?? VOLUME_TYPES[0].id,
      imageId: index === 0 ? instance.imageId : null,
      createdAt: instance.createdAt,
      attachment: {
        instanceId: instance.id,
        mountPoint: `/dev/vd${String.fromCodePoint(97 + index)}`,
        isRoot: index === 0,
        deleteOnTermination: wanted.is_delete_on_termination ?? index === 0,
      },
    })
    context.ledger.made({ kind: 'volume', id, name, atMs: instance.createdAt })
  }
}
