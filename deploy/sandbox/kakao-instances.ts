/** Instances: made, listed, shown, renamed, deleted. */
import { z } from 'zod'
import { MINUTE_MS } from '../../shared/time.ts'
import { takeDeleteLie } from './behaviour.ts'
import type { SandboxResponse } from './harness.ts'
import { build } from './kakao-build.ts'
import { changedInstanceView, instanceField, instanceView, surroundingsOf } from './kakao-instance-view.ts'
import { INSTANCES_PER_PROJECT, NO_HOST_MESSAGE, QUOTA_REFUSAL, SUCCESS } from './kakao-knobs.ts'
import { checkDescription, checkName, checkNewInstance, CreateInstance } from './kakao-rules.ts'
import type { NewInstance, Parts } from './kakao-rules.ts'
import { existingInstance, lingerMs, logged, look, visibleInstance } from './kakao-state.ts'
import type { InstanceRecord, KakaoState } from './kakao-state.ts'
import { listAnswer, parseBody, ServiceRefusal } from './kakao-wire.ts'

/** Rows of instances that went longer ago are forgotten, so that a long run stays small. */
const FORGET_AFTER_MS = 10 * MINUTE_MS
const FORGET_FROM_ROWS = 2_000

export function createInstances(state: KakaoState, body: Buffer): SandboxResponse {
  const { instance: asked } = parseBody(body, CreateInstance)
  const parts = checkNewInstance(asked)
  const groupIds = securityGroupIds(state, asked)
  const keyName = asked.key_name ?? null
  if (keyName !== null && !state.keypairs.has(keyName))
    throw new ServiceRefusal(400, `Keypair ${keyName} could not be found.`)
  forgetLongGone(state)
  const count = asked.count ?? 1
  checkQuota(state, count)
  checkStock(state, parts, count)
  const made = Array.from({ length: count }, (_, index) =>
    build(state, { asked, parts, groupIds, name: nameOf(state, asked, index) }),
  )
  return {
    status: SUCCESS.create,
    body: {
      instance: {
        // Only one id is told, however many were made.
        id: made[0]?.id,
        security_groups: asked.security_groups ?? [],
        admin_pass: null,
        disk_config: 'MANUAL',
      },
    },
  }
}

export function listInstances(state: KakaoState, query: URLSearchParams): SandboxResponse {
  const now = state.context.now()
  const listed = (instance: InstanceRecord): boolean =>
    state.context.visible(instance.createdAt) &&
    (instance.deletion === null || now < instance.deletion.goneAt + lingerMs(state))
  const around = surroundingsOf(state)
  return listAnswer({
    noun: 'instances',
    rows: state.instances.values().filter(listed),
    query,
    exact: [
      'id',
      'vm_state',
      'status',
      'flavor_name',
      'image_name',
      'private_ip',
      'public_ip',
      'availability_zone',
      'instance_type',
      'user_id',
      'hostname',
      'os_type',
      'is_hadoop',
      'is_k8se',
      'created_at',
      'updated_at',
    ],
    substring: ['name'],
    field: (instance, name) =>
      name === 'public_ip'
        ? (around.publicIpOf(instance.interfaces[0]?.id ?? '')?.address ?? null)
        : instanceField(state, instance, name),
    view: (instance) => instanceView(instance, around),
  })
}

export const getInstance = (state: KakaoState, id: string): SandboxResponse => ({
  status: SUCCESS.other,
  body: { instance: instanceView(visibleInstance(state, id), surroundingsOf(state)) },
})

const ChangeInstance = z.object({
  instance: z.object({ name: z.string().nullish(), description: z.string().nullish() }),
})

export function changeInstance(state: KakaoState, id: string, body: Buffer): SandboxResponse {
  const instance = existingInstance(state, id)
  const { instance: change } = parseBody(body, ChangeInstance)
  const name = change.name ?? instance.name
  const description = change.description === undefined ? instance.description : change.description
  checkName(name)
  checkDescription(description)
  const changed = { ...instance, name, description }
  state.instances.set(id, changed)
  return { status: SUCCESS.other, body: { instance: changedInstanceView(changed, surroundingsOf(state)) } }
}

/** Repeating it while the instance is going is accepted; afterwards it is 404. */
export function deleteInstance(state: KakaoState, id: string): SandboxResponse {
  const instance = existingInstance(state, id)
  if (instance.deletion !== null || takeDeleteLie(state.context.behaviour)) return { status: SUCCESS.remove }
  const askedAt = state.context.now()
  const goneAt = askedAt + state.context.stopMs()
  const entry = logged({ action: 'delete', startedAt: askedAt, finishedAt: goneAt })
  state.instances.set(id, { ...instance, deletion: { askedAt, goneAt }, actions: [...instance.actions, entry] })
  state.context.ledger.gone('node', id, goneAt)
  for (const volume of state.volumes.values()) {
    if (volume.attachment?.instanceId === id && volume.attachment.deleteOnTermination)
      state.context.ledger.gone('volume', volume.id, goneAt)
  }
  return { status: SUCCESS.remove }
}

function securityGroupIds(state: KakaoState, { security_groups: asked }: NewInstance): string[] {
  const known = state.securityGroups.values()
  return (asked ?? []).map(({ name }) => {
    const group = known.find((candidate) => candidate.name === name)
    if (group === undefined) throw new ServiceRefusal(400, `Security group ${name} could not be found.`)
    return group.id
  })
}

function nameOf({ knobs }: KakaoState, { name, count }: NewInstance, index: number): string {
  return (count ?? 1) > 1 && knobs.countNames === 'suffixed' ? `${name}-${index + 1}` : name
}

function checkQuota(state: KakaoState, count: number): void {
  const used = state.instances.values().filter((instance) => !look(state, instance).gone).length
  const limit = Math.min(INSTANCES_PER_PROJECT, state.context.behaviour.quotaNodes ?? INSTANCES_PER_PROJECT)
  if (used + count > limit) throw new ServiceRefusal(QUOTA_REFUSAL.status, QUOTA_REFUSAL.message(count, used, limit))
}

function checkStock({ context, knobs }: KakaoState, { flavor }: Parts, count: number): void {
  const free = context.freeNodes()
  if (flavor.instanceType !== 'bm' || knobs.bareMetalShortage !== 'sync-conflict') return
  if (free !== null && free < count) throw new ServiceRefusal(409, NO_HOST_MESSAGE)
}

function forgetLongGone(state: KakaoState): void {
  if (state.instances.size < FORGET_FROM_ROWS) return
  const before = state.context.now() - FORGET_AFTER_MS - lingerMs(state)
  for (const { id, deletion } of state.instances.values()) {
    if (deletion !== null && deletion.goneAt < before) state.instances.delete(id)
  }
}
