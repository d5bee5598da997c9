/**
 * Asking for a group: one request per member, because an answer names one id only. Names may repeat at Kakao and nothing
 * makes a create idempotent, so the group is looked for first, by one caller at a time, and only what is missing is
 * asked for. What was surely made is remembered for as long as lists may not show it.
 */
import { readJson } from '../http.ts'
import { memberName, namePrefixOf, ownerTagText } from '../../shared/ids.ts'
import { ProviderError } from '../../shared/provider-error.ts'
import type { AdapterContext, Call, NodeGroup, ProviderNode } from '../../shared/provider.ts'
import type { EpochMs } from '../../shared/time.ts'
import type { Looks } from '../looks.ts'
import type { KakaoClient } from './client.ts'
import type { KakaoSettings } from './config.ts'
import { type Order, orderOf } from './order.ts'
import { createTurns } from './waiting.ts'
import { CreatedInstance } from './wire.ts'

export interface CreatorOptions extends AdapterContext {
  readonly settings: KakaoSettings
  readonly client: KakaoClient
  /** Every instance whose name holds the text, whoever's it is. */
  readonly looks: Looks<ProviderNode>
}

export interface Creator {
  create(group: NodeGroup, call: Call): Promise<readonly ProviderNode[]>
  /** A node that was asked to go is no longer remembered as made. */
  forget(providerInstanceIds: readonly string[]): void
}

interface Made {
  readonly node: ProviderNode
  readonly forgetAt: EpochMs
}

export function createCreator({ settings, client, looks, now }: CreatorOptions): Creator {
  const turns = createTurns()
  const recent = new Map<string, Made>()

  const recall = (): readonly ProviderNode[] => {
    for (const [id, { forgetAt }] of recent) if (forgetAt <= now()) recent.delete(id)
    return [...recent.values()].map(({ node }) => node)
  }

  /** By exact name. Somebody else's node is no member of ours, one whose tag cannot be read may well be. */
  const present = async (group: NodeGroup, call: Call): Promise<Map<string, ProviderNode>> => {
    const ours = (node: ProviderNode): boolean =>
      node.owner === null || node.owner.installationId === group.owner.installationId
    const listed = await looks.at(namePrefixOf(group.owner.allocationId), group.name, call)
    const all = [...recall(), ...listed].filter(ours)
    const members = new Set(memberNames(group))
    return new Map(all.filter(({ name }) => members.has(name)).map((node) => [node.providerInstanceId, node]))
  }

  const ask = async (name: string, order: Order, call: Call): Promise<ProviderNode> => {
    const url = `${settings.bcsUrl}/api/v1/instances`
    const body = { instance: { name, ...order.instance } }
    const request = { what: `the create of ${name}`, method: 'POST', url, body, changes: true, creates: true } as const
    const { instance } = readJson(CreatedInstance, await client.send(request, call), 'maybe')
    const node = newNode(instance.id, name, order.group)
    recent.set(node.providerInstanceId, { node, forgetAt: now() + order.cluster.visibilityDelayMs })
    return node
  }

  const createMissing = async (order: Order, call: Call): Promise<readonly ProviderNode[]> => {
    const there = await present(order.group, call)
    const taken = new Set([...there.values()].map(({ name }) => name))
    for (const name of memberNames(order.group).filter((each) => !taken.has(each))) {
      try {
        const node = await ask(name, order, call)
        there.set(node.providerInstanceId, node)
      } catch (error) {
        throw there.size > 0 ? notWhole(error) : error
      }
    }
    return [...there.values()]
  }

  return {
    async create(group, call) {
      const order = orderOf(settings, group)
      return await turns.take(ownerTagText(group.owner), { call, now: now() }, () => createMissing(order, call))
    },
    forget(providerInstanceIds) {
      for (const id of providerInstanceIds) recent.delete(id)
    },
  }
}

const memberNames = ({ name, size }: NodeGroup): string[] =>
  Array.from({ length: size }, (_, index) => memberName(name, index + 1))

const newNode = (id: string, name: string, group: NodeGroup): ProviderNode => ({
  providerInstanceId: id,
  name,
  owner: group.owner,
  clusterId: group.clusterId,
  state: 'building',
  inFabric: true,
  address: null,
  createdAt: null,
  failure: null,
})

/** Some of the group exist, so "nothing happened" would be untrue of the whole, however sure of the last request. */
function notWhole(error: unknown): unknown {
  if (!(error instanceof ProviderError) || error.effect === 'maybe') return error
  const { kind, message, code, providerMessage, retryAfterMs } = error
  return new ProviderError(kind, message, { effect: 'maybe', code, providerMessage, retryAfterMs })
}
