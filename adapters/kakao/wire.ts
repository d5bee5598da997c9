/**
 * What Kakao's answers look like and what they mean for us. Every member but an id may be null there, enums grow, and
 * one field may be a text here and a list there: so members are read leniently, one by one, and an odd one is null.
 */
import { z } from 'zod'
import { parseOwnerTag } from '../../shared/ids.ts'
import type { ProviderNode, ProviderNodeState } from '../../shared/provider.ts'
import type { EpochMs } from '../../shared/time.ts'

/** Null for whatever is missing or not of this shape: one odd member must not hide a node. */
const lenient = <S extends z.ZodType>(schema: S) => schema.nullable().catch(null).default(null)

const Text = lenient(z.string())
const IdOnly = lenient(z.object({ id: Text }))

const Addresses = lenient(z.array(z.object({ private_ip: Text, public_ip: Text, network_interface_id: Text })))

export const Instance = z.object({
  id: z.string().min(1),
  name: Text,
  description: Text,
  status: Text,
  vm_state: Text,
  task_state: Text,
  availability_zone: Text,
  flavor: IdOnly,
  addresses: Addresses,
  is_k8se: lenient(z.boolean()),
  created_at: Text,
})
export type Instance = z.infer<typeof Instance>

export const CreatedInstance = z.object({ instance: z.object({ id: z.string().min(1) }) })

const Action = z.object({ request_id: Text, message: Text, start_time: Text, updated_at: Text })
export const ActionLogs = z.object({ actions: lenient(z.array(Action)) })

export const Flavor = z.object({
  flavor: z.object({
    id: z.string(),
    instance_type: Text,
    availability_zone: lenient(z.array(z.string())),
    available: lenient(z.record(z.string(), lenient(z.number()))),
  }),
})
export type Flavor = z.infer<typeof Flavor>['flavor']

export const Image = z.object({ id: z.string(), status: Text, instance_type: Text })
export const Subnet = z.object({ id: z.string(), availability_zone: Text, provisioning_status: Text })
export const SecurityGroup = z.object({ id: z.string(), name: Text })

export const PublicIp = z.object({
  id: z.string().min(1),
  description: Text,
  public_ip: Text,
  status: Text,
  related_resource: IdOnly,
})

export const Volume = z.object({ id: z.string().min(1), name: Text, description: Text, status: Text })

export const Token = z.object({ token: z.object({ expires_at: z.string(), issued_at: Text }) })

/** RFC 3339 → epoch ms; a time without an offset is UTC, as all of Kakao's are. Null when it is no time. */
export function instantOf(text: string | null): EpochMs | null {
  if (text === null) return null
  const at = Date.parse(/(Z|[+-]\d\d:?\d\d)$/i.test(text) ? text : `${text}Z`)
  return Number.isNaN(at) ? null : at
}

const FAILED = new Set(['error', 'failed'])
const GOING = new Set(['deleting', 'deleted', 'soft-deleted', 'soft-deleting', 'terminated', 'terminating'])

const plain = (text: string | null): string => (text ?? '').trim().toLowerCase()

/**
 * `status` is the running task, else the stable state, and may be left out like every member but the id. A row that says it is deleted is still in the list, and counts
 * until it no longer is. All else that is not surely ready (stopped and shelved too) is building: the next look tells.
 */
export function stateOf(instance: Instance): ProviderNodeState {
  const status = plain(instance.status)
  const vmState = plain(instance.vm_state)
  const task = plain(instance.task_state)
  if ([status, vmState, task].some((state) => GOING.has(state))) return 'deleting'
  if (FAILED.has(status) || FAILED.has(vmState)) return 'failed'
  const idle = task === '' || task === 'none'
  const connected = (instance.addresses ?? []).some((each) => (each.network_interface_id ?? each.private_ip) !== null)
  return (status === '' ? vmState : status) === 'active' && idle && connected ? 'ready' : 'building'
}

/** Zone keys come as `kr_central_2_a` or `kr-central-2-a`. */
const zoneKey = (zone: string): string => zone.replaceAll('_', '-').toLowerCase()

/** Free bare-metal nodes of the flavor in the zone; null where the operator does not say. */
export function freeNodes(flavor: Flavor, zone: string): number | null {
  const found = Object.entries(flavor.available ?? {}).find(([key]) => zoneKey(key) === zoneKey(zone))
  return found?.[1] ?? null
}

interface Place {
  readonly flavorId: string
  readonly zone: string
}

/** The configured cluster with the node's flavor and zone; a zone not told yet counts only if the flavor alone decides. */
export function clusterOf(instance: Instance, clusters: Readonly<Record<string, Place>>): string | null {
  const zone = plain(instance.availability_zone)
  const matching = Object.entries(clusters).filter(
    ([, place]) => place.flavorId === instance.flavor?.id && (zone === '' || zoneKey(zone) === zoneKey(place.zone)),
  )
  return matching.length === 1 ? (matching[0]?.[0] ?? null) : null
}

/** A node without its failure: the reason takes a call of its own. */
export function toNode(instance: Instance, clusters: Readonly<Record<string, Place>>): ProviderNode {
  const addresses = instance.addresses ?? []
  return {
    providerInstanceId: instance.id,
    name: instance.name ?? '',
    owner: parseOwnerTag(instance.description ?? ''),
    clusterId: clusterOf(instance, clusters),
    state: stateOf(instance),
    inFabric: true,
    address: addresses.map((each) => each.public_ip ?? each.private_ip).find((ip) => ip !== null) ?? null,
    createdAt: instantOf(instance.created_at),
    failure: null,
  }
}

/** The newest entry that says anything; there is no fault object. */
export function reasonOf(logs: z.infer<typeof ActionLogs>): { requestId: string | null; message: string } | null {
  const telling = (logs.actions ?? []).filter(({ message }) => plain(message) !== '')
  const at = (action: z.infer<typeof Action>): number =>
    instantOf(action.updated_at) ?? instantOf(action.start_time) ?? 0
  const newest = telling.toSorted((a, b) => at(b) - at(a))[0]
  return newest === undefined ? null : { requestId: newest.request_id, message: newest.message ?? '' }
}
