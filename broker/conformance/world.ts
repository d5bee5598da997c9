/**
 * What one case sees: the target, and ids that nobody has used before. Each case is an installation of its own, so that
 * cases share an operator, and even a tenant in use, without meeting each other's nodes. Whatever passes through the
 * provider is noted for the cleaning up, which must work although the adapter does not.
 */
import { randomBytes } from 'node:crypto'
import { idFromBytes } from '../../shared/ids.ts'
import { ProviderError } from '../../shared/provider-error.ts'
import type { Provider, ProviderNode } from '../../shared/provider.ts'
import type { ClosableProvider, Ledger, Patience, Sandbox, Target } from './contract-case.ts'

export interface CaseWorld {
  readonly provider: Provider
  /** The same case with the adapter once more: nothing remembered, no token yet. */
  withFreshProvider(): CaseWorld
  readonly clusterId: string
  readonly installationId: string
  /** Another broker's, in the same tenant. */
  readonly otherInstallationId: string
  /** The same id for the same number, within one case. */
  allocationId(n: number): string
  readonly patience: Patience
  /** Aborts when the case is given up: waiting ends. */
  readonly signal: AbortSignal
  readonly sandbox: Sandbox
  /** Null where the target has none: for cases that are sharper with one, and do without. */
  readonly sandboxIfAny: Sandbox | null
  /** What the operator has built since the case began. */
  ledger(): Promise<Ledger>
  // What a case may use that has declared its need.
  readonly wrongKeyProvider: Provider
  /** The texts of that key which no error may show. */
  readonly wrongSecrets: readonly string[]
  readonly unknownInstanceId: string
  readonly pageSize: number
  readonly burstNodes: number
}

export interface Traces {
  readonly installationIds: readonly string[]
  readonly allocationIds: ReadonlyMap<number, string>
  /** Every provider instance id that the adapter ever answered. */
  readonly instanceIds: ReadonlySet<string>
  /** When a create last ended in doubt, epoch ms; null: never. */
  readonly inDoubtAt: () => number | null
  /** For how long a call that nobody waits for any more may still be on its way, by the faults that the case set. */
  readonly delayedMs: () => number
  /** Whether anything may have been made at all. */
  readonly asked: () => boolean
  readonly ledger: () => Promise<Ledger>
  /** Ends the adapters that the case had beside the target's own. */
  readonly close: () => void
}

const EMPTY_LEDGER: Ledger = { nodes: [], others: [] }

export async function openWorld(target: Target, signal: AbortSignal): Promise<{ world: CaseWorld; traces: Traces }> {
  const before = idsIn((await target.sandbox?.ledger()) ?? EMPTY_LEDGER)
  const ledger = async (): Promise<Ledger> => without(before, (await target.sandbox?.ledger()) ?? EMPTY_LEDGER)
  const installationId = idFromBytes('ins', randomBytes(10))
  const otherInstallationId = idFromBytes('ins', randomBytes(10))
  const allocationIds = new Map<number, string>()
  const notes = createNotes()
  const fresh: ClosableProvider[] = []
  let delayedMs = 0
  const noteDelays = (sandbox: Sandbox): Sandbox => ({
    ...sandbox,
    async setFaults(faults) {
      delayedMs = Math.max(delayedMs, ...faults.map(({ effect, delayMs }) => (effect === 'delay' ? (delayMs ?? 0) : 0)))
      await sandbox.setFaults(faults)
    },
  })
  const sandbox = target.sandbox === null ? null : noteDelays(target.sandbox)
  const worldOf = (provider: Provider): CaseWorld => ({
    provider: notes.noting(provider),
    withFreshProvider() {
      const another = target.freshProvider()
      fresh.push(another)
      return worldOf(another)
    },
    clusterId: target.clusterId,
    installationId,
    otherInstallationId,
    allocationId(n) {
      const id = allocationIds.get(n) ?? idFromBytes('alc', randomBytes(10))
      allocationIds.set(n, id)
      return id
    },
    patience: target.patience,
    signal,
    sandboxIfAny: sandbox,
    get sandbox() {
      return given('faults', sandbox)
    },
    ledger,
    get wrongKeyProvider() {
      return given('wrong-key', target.wrongKeyProvider)
    },
    wrongSecrets: target.wrongSecrets,
    get unknownInstanceId() {
      return given('unknown-id', target.unknownInstanceId)
    },
    get pageSize() {
      return given('page-size', target.pageSize)
    },
    get burstNodes() {
      return given('burst', target.burstNodes)
    },
  })
  const installationIds = [installationId, otherInstallationId]
  const close = (): void => {
    for (const provider of fresh) provider.close?.()
  }
  const traces = { ...notes, close, installationIds, allocationIds, ledger, delayedMs: () => delayedMs }
  return { world: worldOf(target.provider), traces }
}

function given<T>(need: string, value: T | null): T {
  if (value === null) throw new Error(`the case uses ${need} without declaring that need`)
  return value
}

function createNotes() {
  const instanceIds = new Set<string>()
  let inDoubtAt: number | null = null
  let asked = false
  const seen = (nodes: readonly ProviderNode[]): readonly ProviderNode[] => {
    for (const { providerInstanceId } of nodes) instanceIds.add(providerInstanceId)
    return nodes
  }
  const noting = (provider: Provider): Provider => ({
    ...provider,
    listNodes: async (filter, call) => seen(await provider.listNodes(filter, call)),
    async createNodes(group, call) {
      asked = true
      try {
        return seen(await provider.createNodes(group, call))
      } catch (error) {
        if (!(error instanceof ProviderError) || error.effect === 'maybe') inDoubtAt = Date.now()
        throw error
      }
    },
  })
  return { noting, instanceIds, inDoubtAt: () => inDoubtAt, asked: () => asked }
}

const idsIn = ({ nodes, others }: Ledger): ReadonlySet<string> => new Set([...nodes, ...others].map(({ id }) => id))

const without = (before: ReadonlySet<string>, { nodes, others }: Ledger): Ledger => ({
  nodes: nodes.filter(({ id }) => !before.has(id)),
  others: others.filter(({ id }) => !before.has(id)),
})
