/** What one case of the conformance kit is, and what it is tried against. Nothing here knows mocha, or an operator. */
import type { Provider } from '../../shared/provider.ts'
import type { CaseWorld } from './world.ts'

/**
 * What a case cannot do without: `faults`: an operator whose faults, knobs and ledger we hold (a sandbox); `fabric`: an
 * adapter that declares `joinsFabric`; `others`: one that lists what others made; `wrong-key`, `unknown-id`, `page-size`, `burst`: what the configuration gives.
 */
export type Need = 'faults' | 'fabric' | 'others' | 'wrong-key' | 'unknown-id' | 'page-size' | 'burst'

export interface ContractCase {
  /** Stable, kebab-case: what `--only` and reports call it. */
  readonly id: string
  /** The rule in the present tense. */
  readonly rule: string
  /** The contract's own sentence that the rule follows from. */
  readonly says: string
  readonly needs: readonly Need[]
  /** Nodes that stand at once, for whoever limits what a run may cost. Default 2. */
  readonly nodes?: (target: Target) => number
  /** Resolves when the rule was kept. @throws AssertionError that says what was seen instead */
  run(world: CaseWorld): Promise<void>
}

/** Picks an operator's calls out for a fault. */
export interface CallMatch {
  readonly method?: string
  /** A regular expression, searched for in the path of the request target. Without it: every call. */
  readonly path?: string
}

export type FaultEffect =
  | 'drop-before'
  | 'drop-after'
  | 'reset-before'
  | 'reset-after'
  | 'black-hole'
  | 'delay'
  | 'slow-drip'
  | 'status'
  | 'malformed'

export interface Fault {
  readonly match: CallMatch
  /** Without it: always. */
  readonly times?: number
  readonly effect: FaultEffect
  readonly status?: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly delayMs?: number
}

export interface LedgerEntry {
  readonly id: string
  readonly name: string
  /** Null while it exists. */
  readonly deletedAt: string | null
}

export interface Ledger {
  readonly nodes: readonly LedgerEntry[]
  readonly others: readonly (LedgerEntry & { readonly kind: string })[]
}

/** An operator that can be told to misbehave, and that says what it really built. */
export interface Sandbox {
  /** The operator's calls that make nodes, list them, and delete them. */
  readonly calls: Readonly<Record<'create' | 'list' | 'remove', CallMatch>>
  setFaults(faults: readonly Fault[]): Promise<void>
  /** Knobs as `listLagMs`, `deleteLies`, `buildFails`, `freeNodes`, `quotaNodes`, `tokenTtlMs`, `bootMs`; `{}` sets all back. */
  setBehaviour(behaviour: object): Promise<void>
  /** Shifts the operator's clock against ours. */
  setClock(offsetMs: number): Promise<void>
  ledger(): Promise<Ledger>
}

/** How long the kit waits for what; a real operator boots for minutes, a simulated one for milliseconds. */
export interface Patience {
  /** One call. */
  readonly callMs: number
  /** Nodes on their way to ready, or to gone. */
  readonly readyMs: number
  readonly lookEveryMs: number
  /** By how much a call may overrun its deadline, or outlive its caller. */
  readonly graceMs: number
}

export type ClosableProvider = Provider & { close?(): void }

/** One adapter in front of one operator. */
export interface Target {
  readonly provider: Provider
  /** The same adapter once more, as a broker's other replica has it: nothing remembered, no token yet. */
  freshProvider(): ClosableProvider
  /** The same operator, asked with a key that it does not accept; null: not given. */
  readonly wrongKeyProvider: Provider | null
  /** The texts of that key which no error may show. */
  readonly wrongSecrets: readonly string[]
  readonly clusterId: string
  /** In the operator's form, and never given to a node; null: not given. */
  readonly unknownInstanceId: string | null
  /** Nodes in one page of the operator's list; null: not given. */
  readonly pageSize: number | null
  /** Nodes that the burst asks for, the cluster's size at best; null: none. */
  readonly burstNodes: number | null
  /** Cases that need more nodes at once are skipped. */
  readonly maxNodes: number
  readonly sandbox: Sandbox | null
  readonly patience: Patience
}

/** Why this case cannot be tried here, in words; null when it can. */
export function skipReason(one: ContractCase, target: Target): string | null {
  for (const need of one.needs) if (!HAS[need](target)) return LACKS[need]
  const nodes = one.nodes?.(target) ?? DEFAULT_NODES
  return nodes > target.maxNodes ? `it needs ${nodes} nodes at once, and maxNodes is ${target.maxNodes}` : null
}

const DEFAULT_NODES = 2

const HAS: Readonly<Record<Need, (target: Target) => boolean>> = {
  faults: ({ sandbox }) => sandbox !== null,
  fabric: ({ provider }) => provider.capabilities.joinsFabric,
  others: ({ provider }) => provider.listOthers !== undefined,
  'wrong-key': ({ wrongKeyProvider }) => wrongKeyProvider !== null,
  'unknown-id': ({ unknownInstanceId }) => unknownInstanceId !== null,
  'page-size': ({ pageSize }) => pageSize !== null,
  burst: ({ burstNodes }) => burstNodes !== null,
}

const LACKS: Readonly<Record<Need, string>> = {
  faults: 'the target cannot inject faults (no "faults" in the configuration)',
  fabric: 'the adapter declares joinsFabric: false',
  others: 'the adapter has no listOthers',
  'wrong-key': 'no "wrongKey" in the configuration',
  'unknown-id': 'no "unknownInstanceId" in the configuration',
  'page-size': 'no "pageSize" in the configuration',
  burst: 'no "burstNodes" in the configuration',
}
