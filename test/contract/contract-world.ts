/**
 * What the contract suite needs of the operator that an adapter is tried against, and the helpers that its cases share:
 * calls with a deadline, groups of a fresh allocation each, and waiting that polls lists instead of sleeping.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { groupName } from '../../shared/ids.ts'
import { ProviderError, type ProviderErrorKind } from '../../shared/provider-error.ts'
import type { Call, NodeGroup, Provider, ProviderNode } from '../../shared/provider.ts'

/** Picks an operator's calls out for a fault. */
export interface CallMatch {
  readonly method?: string
  /** A regular expression, searched for in the path of the request target. */
  readonly path: string
}

export interface LedgerEntry {
  readonly id: string
  readonly name: string
  readonly createdAt: string
  readonly deletedAt: string | null
}

export interface LedgerView {
  readonly nodes: readonly LedgerEntry[]
  readonly others: readonly (LedgerEntry & { readonly kind: string })[]
}

/** One adapter in front of one fresh operator. */
export interface ContractWorld {
  readonly provider: Provider
  /** The same operator, asked with a key that it does not accept. */
  readonly wrongKeyProvider: Provider
  readonly clusterId: string
  readonly installationId: string
  /** The operator's calls that make nodes, list them, and delete them. */
  readonly calls: Readonly<Record<'create' | 'list' | 'remove', CallMatch>>
  /** In the operator's form, and never given to a node. */
  readonly unknownInstanceId: string
  /** So many nodes need a second page: adapters with a page size set it low in their world. */
  readonly pastOnePage: number
  setFaults(faults: readonly unknown[]): Promise<void>
  setBehaviour(behaviour: object): Promise<void>
  ledger(): Promise<LedgerView>
  tearDown(): Promise<void>
}

const CALL_MS = 10_000
const WAIT_MS = 20_000
const LOOK_EVERY_MS = 10
const SSH_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGtleS1vZi10aGUtY29udHJhY3Qtc3VpdGUtLS0t contract@example'

export function aCall(options: { readonly withinMs?: number; readonly signal?: AbortSignal } = {}): Call {
  return {
    operationId: 'op-contract',
    deadlineAt: Date.now() + (options.withinMs ?? CALL_MS),
    signal: options.signal ?? new AbortController().signal,
  }
}

/** `alc_` + 16 characters that differ for each n below 32. */
export const allocationId = (n: number): string => `alc_contractsuiteno${'abcdefghijklmnopqrstuvwxyz234567'.charAt(n)}`

export interface GroupOptions {
  readonly size?: number
  readonly allocation?: number
  readonly counter?: number
  readonly installationId?: string
  readonly withKeys?: boolean
}

/** A group of two nodes of allocation 0, or what the options say, on the cluster's first image and network. */
export async function aGroup(world: ContractWorld, options: GroupOptions = {}): Promise<NodeGroup> {
  const described = await world.provider.describe(aCall())
  const cluster = described.find(({ clusterId }) => clusterId === world.clusterId)
  const allocation = allocationId(options.allocation ?? 0)
  const name = groupName(allocation, options.counter ?? 0)
  return {
    name,
    size: Math.min(options.size ?? 2, world.provider.capabilities.maxBatch),
    clusterId: world.clusterId,
    imageAlias: cluster?.images[0] ?? 'the cluster has no image',
    network: cluster?.networks[0] ?? 'the cluster has no network',
    sshPublicKeys: options.withKeys === true ? [SSH_KEY] : [],
    owner: {
      installationId: options.installationId ?? world.installationId,
      allocationId: allocation,
      group: name,
    },
  }
}

export const listOf = (world: ContractWorld, group: NodeGroup): Promise<readonly ProviderNode[]> =>
  world.provider.listNodes(
    { installationId: group.owner.installationId, allocationId: group.owner.allocationId },
    aCall(),
  )

/** Asks until the answer is as wanted; fails with the last answer when that takes too long. */
export async function eventually<T>(what: string, ask: () => Promise<T>, wanted: (answer: T) => boolean): Promise<T> {
  const endAt = Date.now() + WAIT_MS
  for (;;) {
    const answer = await ask()
    if (wanted(answer)) return answer
    if (Date.now() > endAt) expect.fail(`${what} did not come true; the last look showed ${JSON.stringify(answer)}`)
    await pause(LOOK_EVERY_MS)
  }
}

export const untilReady = (world: ContractWorld, group: NodeGroup): Promise<readonly ProviderNode[]> =>
  eventually(
    `${group.size} ready nodes`,
    () => listOf(world, group),
    (nodes) => nodes.length === group.size && nodes.every(({ state }) => state === 'ready'),
  )

export const untilListed = (world: ContractWorld, group: NodeGroup): Promise<readonly ProviderNode[]> =>
  eventually(
    `${group.size} listed nodes`,
    () => listOf(world, group),
    (nodes) => nodes.length === group.size,
  )

/** Deletes as the broker does: asks, tolerates `busy`, and believes only a list without the nodes. */
export async function release(world: ContractWorld, group: NodeGroup): Promise<void> {
  await eventually(
    'an empty list',
    async () => {
      const nodes = await listOf(world, group)
      const ids = nodes.map(({ providerInstanceId }) => providerInstanceId)
      if (ids.length > 0) await deleteTolerantly(world, ids)
      return nodes
    },
    (nodes) => nodes.length === 0,
  )
}

async function deleteTolerantly(world: ContractWorld, providerInstanceIds: readonly string[]): Promise<void> {
  try {
    await world.provider.deleteNodes({ clusterId: world.clusterId, providerInstanceIds }, aCall())
  } catch (error) {
    if (!(error instanceof ProviderError) || error.kind !== 'busy') throw error
  }
}

/** The `ProviderError` that the promise rejects with; anything else fails the test. */
export async function rejection(promise: Promise<unknown>): Promise<ProviderError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof ProviderError) return error
    throw error
  }
  return expect.fail('it was expected to reject, and resolved')
}

/** Awaits a rejection of this kind. @returns the error, for its effect and code */
export async function rejectionOf(kind: ProviderErrorKind, promise: Promise<unknown>): Promise<ProviderError> {
  const error = await rejection(promise)
  expect(error.kind, error.message).to.equal(kind)
  return error
}
