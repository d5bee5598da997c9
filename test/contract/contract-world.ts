/**
 * One adapter in front of one simulated operator, and the kit's own helpers bound to it: for the tests of what only one
 * operator has.
 */
import type { CallMatch, ClosableProvider, Fault, Ledger, Patience } from '../../broker/conformance/contract-case.ts'
import * as steps from '../../broker/conformance/steps.ts'
import type { CaseWorld } from '../../broker/conformance/world.ts'
import type { Call, NodeGroup, Provider, ProviderNode } from '../../shared/provider.ts'

export { rejection, rejectionOf } from '../../broker/conformance/steps.ts'

export interface ContractWorld {
  readonly provider: Provider
  /** The same adapter once more, nothing remembered. */
  freshProvider(): ClosableProvider
  /** The same operator, asked with a key that it does not accept. */
  readonly wrongKeyProvider: Provider
  readonly clusterId: string
  readonly installationId: string
  /** The operator's calls that make nodes, list them, and delete them. */
  readonly calls: Readonly<Record<'create' | 'list' | 'remove', CallMatch>>
  /** In the operator's form, and never given to a node. */
  readonly unknownInstanceId: string
  /** Nodes in one page of the operator's list: adapters with a page size set it low in their world. */
  readonly pageSize: number
  setFaults(faults: readonly Fault[]): Promise<void>
  setBehaviour(behaviour: object): Promise<void>
  setClock(offsetMs: number): Promise<void>
  ledger(): Promise<Ledger>
  tearDown(): Promise<void>
}

export const PATIENCE: Patience = { callMs: 20_000, readyMs: 60_000, lookEveryMs: 10, graceMs: 5_000 }

export const standingIn = ({ nodes, others }: Ledger): readonly string[] =>
  [...nodes, ...others].filter(({ deletedAt }) => deletedAt === null).map(({ name }) => name)

export function aCall(options: { readonly withinMs?: number; readonly signal?: AbortSignal } = {}): Call {
  return steps.aCall({ patience: PATIENCE, signal: new AbortController().signal }, options)
}

/** `alc_` + 16 characters that differ for each n below 32. */
const allocationId = (n: number): string => `alc_contractsuiteno${'abcdefghijklmnopqrstuvwxyz234567'.charAt(n)}`

const caseWorld = ({ ledger, ...world }: ContractWorld): CaseWorld => ({
  ...world,
  withFreshProvider: () => caseWorld({ ...world, ledger, provider: world.freshProvider() }),
  ledger,
  otherInstallationId: 'ins_otherinstallatio',
  allocationId,
  patience: PATIENCE,
  signal: new AbortController().signal,
  sandbox: { ...world, ledger },
  sandboxIfAny: { ...world, ledger },
  wrongSecrets: ['wrong-key'],
  burstNodes: 0,
})

/** A group of two nodes of allocation 0, or what the options say, on the cluster's first image and network. */
export const aGroup = (world: ContractWorld, options: steps.GroupOptions = {}): Promise<NodeGroup> =>
  steps.aGroup(caseWorld(world), options)

export const listOf = (world: ContractWorld, group: NodeGroup): Promise<readonly ProviderNode[]> =>
  steps.listOf(caseWorld(world), group)

export const untilReady = (world: ContractWorld, group: NodeGroup): Promise<readonly ProviderNode[]> =>
  steps.untilReady(caseWorld(world), group)

export const release = (world: ContractWorld, group: NodeGroup): Promise<readonly ProviderNode[]> =>
  steps.release(caseWorld(world), group)

/** Asks until the answer is as wanted; fails with the last answer when that takes too long. */
export const eventually = <T>(what: string, ask: () => Promise<T>, until: (answer: T) => boolean): Promise<T> =>
  steps.eventually({ patience: PATIENCE, signal: new AbortController().signal }, what, { ask, until })
