/** What the simulated KakaoCloud remembers, and the few questions that all its services ask of it. */
import { randomBytes, randomUUID } from 'node:crypto'
import type { OperatorContext } from './harness.ts'
import type { KakaoKnobs } from './kakao-knobs.ts'
import { lookAt } from './kakao-lifecycle.ts'
import type { Life, Look } from './kakao-lifecycle.ts'
import { DEFAULT_SECURITY_GROUP_ID, SEEDED_AT, SEEDED_PUBLIC_KEY, USER_ID } from './kakao-seed.ts'
import { ServiceRefusal } from './kakao-wire.ts'
import { KAKAO } from './settings.ts'
import type { Table } from './store.ts'

export interface NetworkInterface {
  readonly id: string
  readonly subnetId: string
  readonly privateIp: string
  readonly macAddress: string
  readonly securityGroupIds: readonly string[]
}

interface LoggedAction {
  readonly action: string
  readonly requestId: string
  readonly userId: string
  readonly startedAt: number
  readonly finishedAt: number
  /** Why it failed, told once it is over. */
  readonly failure: string | null
}

export interface InstanceRecord extends Life {
  readonly id: string
  readonly name: string
  readonly description: string | null
  readonly flavorId: string
  readonly imageId: string
  readonly zone: string
  readonly keyName: string | null
  /** The first is the primary one. */
  readonly interfaces: readonly NetworkInterface[]
  readonly hyperThreading: boolean
  readonly actions: readonly LoggedAction[]
}

export interface VolumeRecord {
  readonly id: string
  readonly name: string
  readonly description: string | null
  readonly sizeGb: number
  readonly zone: string
  readonly typeId: string
  readonly imageId: string | null
  readonly createdAt: number
  readonly attachment: {
    readonly instanceId: string
    readonly mountPoint: string
    readonly isRoot: boolean
    readonly deleteOnTermination: boolean
  } | null
}

export interface PublicIpRecord {
  readonly id: string
  readonly description: string | null
  readonly address: string
  readonly createdAt: number
  readonly attachment: { readonly instanceId: string; readonly interfaceId: string; readonly readyAt: number } | null
}

export interface KeypairRecord {
  readonly id: string
  readonly name: string
  readonly publicKey: string
  readonly fingerprint: string
  readonly createdAt: number
}

export interface SecurityGroupRecord {
  readonly id: string
  readonly name: string
  readonly description: string | null
  readonly createdAt: number
  readonly rules: readonly SecurityRule[]
}

export interface SecurityRule {
  readonly id: string
  readonly direction: 'ingress' | 'egress'
  readonly protocol: string
  readonly portRangeMin: number | null
  readonly portRangeMax: number | null
  readonly remoteIpPrefix: string | null
  readonly remoteGroupId: string | null
  readonly description: string | null
  /** Rules appear late. */
  readonly shownFrom: number
}

export interface KakaoState {
  readonly context: OperatorContext
  readonly knobs: KakaoKnobs
  readonly instances: Table<InstanceRecord>
  readonly volumes: Table<VolumeRecord>
  readonly publicIps: Table<PublicIpRecord>
  readonly keypairs: Table<KeypairRecord>
  readonly securityGroups: Table<SecurityGroupRecord>
  /** Token id → when it would have expired. */
  readonly revokedTokens: Table<number>
  readonly secrets: Table<string>
}

export function openState(context: OperatorContext, knobs: KakaoKnobs): KakaoState {
  const { store } = context
  return {
    context,
    knobs,
    instances: store.table('instances'),
    volumes: store.table('volumes'),
    publicIps: store.table('public-ips'),
    keypairs: store.table('keypairs'),
    securityGroups: store.table('security-groups'),
    revokedTokens: store.table('revoked-tokens'),
    secrets: store.table('secrets'),
  }
}

const TOKEN_KEY = 'token-key'

/** Puts what is there from the start; does nothing but once after the sandbox began or was reset. */
export function seed({ secrets, keypairs, securityGroups }: KakaoState): void {
  if (secrets.has(TOKEN_KEY)) return
  secrets.set(TOKEN_KEY, randomBytes(32).toString('base64'))
  keypairs.set(KAKAO.keyName, {
    id: 'ad000000-0000-4000-8000-000000000001',
    name: KAKAO.keyName,
    publicKey: SEEDED_PUBLIC_KEY,
    fingerprint: '00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff',
    createdAt: SEEDED_AT,
  })
  securityGroups.set(DEFAULT_SECURITY_GROUP_ID, {
    id: DEFAULT_SECURITY_GROUP_ID,
    name: KAKAO.securityGroup,
    description: null,
    createdAt: SEEDED_AT,
    rules: [],
  })
}

/** What tokens are signed with; a reset makes a new one, so that every token from before it is refused. */
export const tokenKey = ({ secrets }: KakaoState): string => secrets.get(TOKEN_KEY) ?? ''

export const look = (state: KakaoState, instance: InstanceRecord): Look =>
  lookAt(instance, state.context.now(), { futureStrings: state.knobs.futureStrings })

/** @throws ServiceRefusal 404 where there is none, or no longer */
export function existingInstance(state: KakaoState, id: string): InstanceRecord {
  const instance = state.instances.get(id)
  if (instance === undefined || look(state, instance).gone)
    throw new ServiceRefusal(404, `Instance ${id} could not be found.`)
  return instance
}

/** As `existingInstance`, for reads: what was just made may not have surfaced yet. */
export function visibleInstance(state: KakaoState, id: string): InstanceRecord {
  const instance = existingInstance(state, id)
  if (!state.context.visible(instance.createdAt)) throw new ServiceRefusal(404, `Instance ${id} could not be found.`)
  return instance
}

/** Where a volume is attached; null when it is free, or its instance is gone. */
export function attachedTo(state: KakaoState, volume: VolumeRecord): InstanceRecord | null {
  if (volume.attachment === null) return null
  const instance = state.instances.get(volume.attachment.instanceId)
  return instance === undefined || look(state, instance).gone ? null : instance
}

/** Volumes that exist: those marked for deletion went with their instance. */
export const existingVolumes = (state: KakaoState): VolumeRecord[] =>
  state.volumes
    .values()
    .filter(
      (volume) =>
        volume.attachment === null || !volume.attachment.deleteOnTermination || attachedTo(state, volume) !== null,
    )

/** The interface that an address is attached to; null when it is free, or the instance is gone. */
export function boundTo(
  state: KakaoState,
  { attachment }: PublicIpRecord,
): { readonly instance: InstanceRecord; readonly networkInterface: NetworkInterface } | null {
  if (attachment === null) return null
  const instance = state.instances.get(attachment.instanceId)
  if (instance === undefined || look(state, instance).gone) return null
  const networkInterface = instance.interfaces.find(({ id }) => id === attachment.interfaceId)
  return networkInterface === undefined ? null : { instance, networkInterface }
}

/** How long a deleted instance's row stays in lists. */
export const lingerMs = ({ knobs, context }: KakaoState): number => knobs.deletedRowsLingerMs ?? context.bootMs() / 4

/** An entry of an instance's action log. @param entry.failure why it will have failed */
export const logged = (entry: {
  readonly action: string
  readonly startedAt: number
  readonly finishedAt: number
  readonly failure?: string | null
}): LoggedAction => ({ failure: null, ...entry, requestId: `req-${randomUUID()}`, userId: USER_ID })
