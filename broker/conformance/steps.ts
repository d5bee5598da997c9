/** What cases are made of: calls with a deadline, groups of a fresh allocation, and waiting that looks instead of sleeping. */
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { groupName, memberName } from '../../shared/ids.ts'
import { ProviderError, type ProviderErrorKind } from '../../shared/provider-error.ts'
import type { Call, NodeGroup, ProviderNode } from '../../shared/provider.ts'
import type { CallMatch, Fault } from './contract-case.ts'
import type { CaseWorld } from './world.ts'

const SSH_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGtleS1vZi10aGUtY29udHJhY3Qtc3VpdGUtLS0t'
const KEY_COMMENT = 'contract@example'

export function aCall(
  world: Pick<CaseWorld, 'patience' | 'signal'>,
  options: { readonly withinMs?: number; readonly signal?: AbortSignal } = {},
): Call {
  return {
    operationId: 'op-conformance',
    deadlineAt: Date.now() + (options.withinMs ?? world.patience.callMs),
    signal: options.signal ?? world.signal,
  }
}

export interface GroupOptions {
  /** Default 2; cut to the largest batch. */
  readonly size?: number
  readonly allocation?: number
  readonly counter?: number
  readonly installationId?: string
  /** Comment of the SSH key to hand along; without it no key. */
  readonly keyComment?: string
}

export const WITH_KEY = { keyComment: KEY_COMMENT }

/** A group on the cluster's first image and network. */
export async function aGroup(world: CaseWorld, options: GroupOptions = {}): Promise<NodeGroup> {
  const described = await world.provider.describe(aCall(world))
  const cluster = described.find(({ clusterId }) => clusterId === world.clusterId)
  const allocationId = world.allocationId(options.allocation ?? 0)
  const name = groupName(allocationId, options.counter ?? 0)
  return {
    name,
    size: Math.min(options.size ?? 2, world.provider.capabilities.maxBatch),
    clusterId: world.clusterId,
    imageAlias: cluster?.images[0] ?? 'the cluster has no image',
    network: cluster?.networks[0] ?? 'the cluster has no network',
    sshPublicKeys: options.keyComment === undefined ? [] : [`${SSH_KEY} ${options.keyComment}`],
    owner: { installationId: options.installationId ?? world.installationId, allocationId, group: name },
  }
}

/** A group that was asked for and is ready. */
export async function aReadyGroup(world: CaseWorld, options: GroupOptions = {}) {
  const group = await aGroup(world, options)
  await world.provider.createNodes(group, aCall(world))
  return { group, nodes: await untilReady(world, group) }
}

export const idsOf = (nodes: readonly ProviderNode[]): string[] =>
  nodes.map((node) => node.providerInstanceId).toSorted()

export const namesOf = (nodes: readonly ProviderNode[]): string[] => nodes.map(({ name }) => name).toSorted()

export const memberNames = (group: NodeGroup): string[] =>
  Array.from({ length: group.size }, (_, index) => memberName(group.name, index + 1)).toSorted()

export const listOf = (world: CaseWorld, { owner }: NodeGroup): Promise<readonly ProviderNode[]> =>
  world.provider.listNodes({ installationId: owner.installationId, allocationId: owner.allocationId }, aCall(world))

export const listAll = (world: CaseWorld): Promise<readonly ProviderNode[]> =>
  world.provider.listNodes({ installationId: world.installationId }, aCall(world))

/** Asks until the answer is as wanted; fails with the last answer when that takes too long. */
export async function eventually<T>(
  world: Pick<CaseWorld, 'patience' | 'signal'>,
  what: string,
  look: { readonly ask: () => Promise<T>; readonly until: (answer: T) => boolean },
): Promise<T> {
  const { readyMs, lookEveryMs } = world.patience
  const endAt = Date.now() + readyMs
  for (;;) {
    const answer = await look.ask()
    if (look.until(answer)) return answer
    if (Date.now() > endAt) {
      assert.fail(`${what}: not within ${readyMs} ms; the last look showed ${JSON.stringify(answer)}`)
    }
    await pause(lookEveryMs, undefined, { signal: world.signal })
  }
}

export const untilReady = (world: CaseWorld, group: NodeGroup): Promise<readonly ProviderNode[]> =>
  eventually(world, `${group.size} ready nodes`, {
    ask: () => listOf(world, group),
    until: (nodes) => nodes.length === group.size && nodes.every(({ state }) => state === 'ready'),
  })

export const untilListed = (world: CaseWorld, group: NodeGroup): Promise<readonly ProviderNode[]> =>
  eventually(world, `${group.size} listed nodes`, {
    ask: () => listOf(world, group),
    until: (nodes) => nodes.length === group.size,
  })

/** Deletes as the broker does: asks, tolerates `busy`, and believes only a list without the nodes. */
export const release = (world: CaseWorld, group: NodeGroup): Promise<readonly ProviderNode[]> =>
  eventually(world, 'a list without the released nodes', {
    ask: async () => {
      const nodes = await listOf(world, group)
      if (nodes.length > 0) await deleteTolerantly(world, idsOf(nodes))
      return nodes
    },
    until: (nodes) => nodes.length === 0,
  })

/** Asks for these nodes to go until the list of the group shows only so many. */
export const deleteUntil = (
  world: CaseWorld,
  group: NodeGroup,
  { ids, left, tolerated }: { ids: readonly string[]; left: number; tolerated?: readonly ProviderErrorKind[] },
): Promise<readonly ProviderNode[]> =>
  eventually(world, `a list with ${left} nodes`, {
    ask: async () => {
      await deleteTolerantly(world, ids, tolerated)
      return await listOf(world, group)
    },
    until: (nodes) => nodes.length === left,
  })

export async function deleteTolerantly(
  world: CaseWorld,
  providerInstanceIds: readonly string[],
  tolerated: readonly ProviderErrorKind[] = ['busy'],
): Promise<void> {
  try {
    await world.provider.deleteNodes({ clusterId: world.clusterId, providerInstanceIds }, aCall(world))
  } catch (error) {
    if (!(error instanceof ProviderError) || !tolerated.includes(error.kind)) throw error
  }
}

/** The `ProviderError` that the promise rejects with; anything else fails the case. */
export async function rejection(promise: Promise<unknown>): Promise<ProviderError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof ProviderError) return error
    assert.fail(`it rejected with something that is no ProviderError: ${String(error)}`)
  }
  return assert.fail('it was expected to reject, and resolved')
}

/** Awaits a rejection of this kind. @returns the error, for its effect and code */
export async function rejectionOf(kind: ProviderErrorKind, promise: Promise<unknown>): Promise<ProviderError> {
  const error = await rejection(promise)
  assert.equal(error.kind, kind, `it is called ${error.kind}, not ${kind}: ${error.message}`)
  return error
}

/** Fails the case when the promise is still open after so long. */
export async function endsWithin<T>(ms: number, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    late.reject(new assert.AssertionError({ message: `the call had not ended ${ms} ms after it began` }))
  }, ms)
  try {
    return await Promise.race([promise, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** The operator's answer to these calls, instead of doing them. */
export const answering = (
  match: CallMatch,
  status: number,
  rest: Partial<Pick<Fault, 'times' | 'body' | 'headers'>> = {},
): Fault => ({ match, effect: 'status', status, body: '', ...rest })
