/** What can be done to an instance that stands: power, shelving, resizing, rebuilding; and what it tells of itself. */
import { z } from 'zod'
import { takeBuildFailure } from './behaviour.ts'
import type { SandboxResponse } from './harness.ts'
import { changedInstanceView, flavorOf, surroundingsOf } from './kakao-instance-view.ts'
import { NO_HOST_MESSAGE, SUCCESS } from './kakao-knobs.ts'
import { TASK_PARTS } from './kakao-lifecycle.ts'
import type { StableState, TaskName } from './kakao-lifecycle.ts'
import { FLAVORS, IMAGES } from './kakao-seed.ts'
import { existingInstance, logged, look, visibleInstance } from './kakao-state.ts'
import type { InstanceRecord, KakaoState } from './kakao-state.ts'
import { parseBody, ServiceRefusal, stamp } from './kakao-wire.ts'

export const SIMPLE_ACTIONS = ['start', 'stop', 'soft-reboot', 'hard-reboot', 'shelve', 'unshelve'] as const
type SimpleAction = (typeof SIMPLE_ACTIONS)[number]

interface Rule {
  /** States in which it is allowed, the instance being idle. */
  readonly from: readonly StableState[]
  readonly to: StableState
  readonly bareMetal: boolean
}

const RULES: Readonly<Record<SimpleAction | 'resize' | 'rebuild', Rule>> = {
  start: { from: ['stopped'], to: 'active', bareMetal: true },
  stop: { from: ['active'], to: 'stopped', bareMetal: true },
  'soft-reboot': { from: ['active'], to: 'active', bareMetal: true },
  'hard-reboot': { from: ['active', 'stopped'], to: 'active', bareMetal: true },
  shelve: { from: ['active'], to: 'shelved_offloaded', bareMetal: false },
  unshelve: { from: ['shelved_offloaded'], to: 'active', bareMetal: false },
  resize: { from: ['stopped'], to: 'stopped', bareMetal: false },
  rebuild: { from: ['active', 'stopped'], to: 'active', bareMetal: true },
}

/** What 202 carries, and 204 never does. */
export const actionAnswer = ({ knobs }: KakaoState): SandboxResponse =>
  knobs.actionBody === 'null'
    ? { status: SUCCESS.action, body: 'null', headers: { 'content-type': 'application/json' } }
    : { status: SUCCESS.action }

export function act(state: KakaoState, id: string, action: SimpleAction): SandboxResponse {
  const instance = existingInstance(state, id)
  // Coming back from the shelf takes a host again, and may not find one.
  const fails = action === 'unshelve' && allowed(state, instance, action) && takeBuildFailure(state.context.behaviour)
  begin(state, instance, { action, failure: fails ? NO_HOST_MESSAGE : null })
  return actionAnswer(state)
}

const Resize = z.object({ flavor: z.object({ id: z.guid() }) })

export function resize(state: KakaoState, id: string, body: Buffer): SandboxResponse {
  const instance = existingInstance(state, id)
  const { flavor: wanted } = parseBody(body, Resize)
  const flavor = FLAVORS.find((known) => known.id === wanted.id)
  if (flavor === undefined) throw new ServiceRefusal(400, `flavor ${wanted.id} could not be found`)
  if (flavor.instanceType === 'bm' || !flavor.zones.includes(instance.zone))
    throw new ServiceRefusal(400, `flavor ${flavor.name} cannot be resized to`)
  begin(state, instance, { action: 'resize', change: { flavorId: flavor.id } })
  return actionAnswer(state)
}

const Rebuild = z.object({ rebuild: z.object({ image_id: z.guid(), key_name: z.string().nullish() }) })

export function rebuild(state: KakaoState, id: string, body: Buffer): SandboxResponse {
  const instance = existingInstance(state, id)
  const { image_id: imageId, key_name: keyName } = parseBody(body, Rebuild).rebuild
  const image = IMAGES.find((known) => known.id === imageId)
  if (image === undefined) throw new ServiceRefusal(400, `image ${imageId} could not be found`)
  if ((image.instanceType === 'bm') !== (flavorOf(instance).instanceType === 'bm'))
    throw new ServiceRefusal(400, `image ${image.name} does not suit the instance type`)
  if (typeof keyName === 'string' && !state.keypairs.has(keyName))
    throw new ServiceRefusal(400, `Keypair ${keyName} could not be found.`)
  const begun = begin(state, instance, { action: 'rebuild', change: { imageId, keyName: keyName ?? instance.keyName } })
  return { status: SUCCESS.action, body: { instance: changedInstanceView(begun, surroundingsOf(state)) } }
}

/** Newest first; the message of a failure appears once the action is over. */
export function actionLogs(state: KakaoState, id: string): SandboxResponse {
  const now = state.context.now()
  const actions = visibleInstance(state, id)
    .actions.toReversed()
    .map((entry) => ({
      action: entry.action,
      request_id: entry.requestId,
      user_id: entry.userId,
      start_time: stamp(entry.startedAt),
      message: now >= entry.finishedAt ? entry.failure : null,
      updated_at: stamp(Math.min(now, entry.finishedAt)),
    }))
  return { status: SUCCESS.other, body: { actions } }
}

export function consoleLogs(state: KakaoState, id: string): SandboxResponse {
  const instance = visibleInstance(state, id)
  const booted = look(state, instance).idle === 'active'
  const lines = [...(booted ? ['Cloud-init finished.', 'Reached target Multi-User System.'] : []), 'Booting.']
  return { status: SUCCESS.other, body: { 'console-logs': lines.join('\n') } }
}

export function password(state: KakaoState, id: string): SandboxResponse {
  visibleInstance(state, id)
  return { status: SUCCESS.other, body: { password: '' } } // Windows only
}

const allowed = (state: KakaoState, instance: InstanceRecord, action: keyof typeof RULES): boolean => {
  const { idle } = look(state, instance)
  return idle !== null && RULES[action].from.includes(idle)
}

interface Beginning {
  readonly action: keyof typeof RULES & TaskName
  readonly failure?: string | null
  readonly change?: Partial<InstanceRecord>
}

/** @throws ServiceRefusal 409 where its state, or its being bare metal, does not allow it */
function begin(
  state: KakaoState,
  instance: InstanceRecord,
  { action, failure = null, change }: Beginning,
): InstanceRecord {
  const { context } = state
  const { to, bareMetal } = RULES[action]
  if (!bareMetal && flavorOf(instance).instanceType === 'bm')
    throw new ServiceRefusal(409, `Cannot '${action}' a bare metal instance.`)
  const seen = look(state, instance)
  if (!allowed(state, instance, action) || seen.idle === null)
    throw new ServiceRefusal(
      409,
      `Cannot '${action}' instance ${instance.id} while it is in vm_state ${seen.vmState}, task_state ${seen.taskState}`,
    )
  const startedAt = context.now()
  const durationMs = context.bootMs() * TASK_PARTS[action]
  const entry = logged({ action, startedAt, finishedAt: startedAt + durationMs, failure })
  const begun: InstanceRecord = {
    ...instance,
    ...change,
    stable: seen.idle,
    task: { name: action, startedAt, durationMs, endsIn: failure === null ? to : 'error' },
    actions: [...instance.actions, entry],
  }
  state.instances.set(instance.id, begun)
  return begun
}
