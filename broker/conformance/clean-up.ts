/**
 * After each case, however it ended: the operator is told to behave again, and all that the case made goes. It trusts no
 * single word of the adapter: what was ever answered is asked to go as well as what is listed, and where there is a ledger,
 * the ledger decides.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { ProviderError } from '../../shared/provider-error.ts'
import type { Call } from '../../shared/provider.ts'
import type { Target } from './contract-case.ts'
import { aCall, endsWithin } from './steps.ts'
import type { Traces } from './world.ts'

/** @returns what is left, in words; empty when nothing is */
export async function cleanUp(target: Target, traces: Traces): Promise<readonly string[]> {
  await target.sandbox?.setFaults([])
  await target.sandbox?.setBehaviour({})
  await target.sandbox?.setClock(0)
  if (!traces.asked()) return []
  const { readyMs, lookEveryMs } = target.patience
  const endAt = Date.now() + readyMs
  for (;;) {
    const left = await cleanOnce(target, traces)
    const mayStillSurface = isInDoubt(target, traces)
    if (left.length === 0 && !mayStillSurface) return []
    if (Date.now() > endAt && !mayStillSurface) return left
    await pause(lookEveryMs)
  }
}

/** What was made in doubt may surface for as long as lists may lag; a ledger knows better, but for what is on its way. */
function isInDoubt({ sandbox, provider }: Target, { inDoubtAt, delayedMs }: Traces): boolean {
  const at = inDoubtAt()
  if (at === null) return false
  return Date.now() - at <= (sandbox === null ? provider.capabilities.visibilityDelayMs : delayedMs())
}

async function cleanOnce(target: Target, traces: Traces): Promise<readonly string[]> {
  const left: string[] = []
  for (const installationId of traces.installationIds) {
    left.push(...(await cleanInstallation(target, traces, installationId)))
  }
  if (target.sandbox === null) return left
  const { nodes, others } = await traces.ledger()
  return [...nodes.map((node) => ({ ...node, kind: 'node' })), ...others]
    .filter(({ deletedAt }) => deletedAt === null)
    .map(({ kind, id, name }) => `${kind} ${id} (${name})`)
}

async function cleanInstallation(target: Target, traces: Traces, installationId: string): Promise<readonly string[]> {
  const { provider, clusterId, sandbox } = target
  const call = (): Call => aCall({ patience: target.patience, signal: new AbortController().signal })
  const nodes = await attempt(target, () => provider.listNodes({ installationId }, call()))
  const standing = new Set(nodes.value?.map((node) => node.providerInstanceId))
  // A list that hides nodes must not keep them alive: the ledger shows them, and their ids were answered once.
  const hidden = sandbox === null ? [] : await standingAfterAll(traces)
  const providerInstanceIds = [...new Set([...standing, ...hidden])]
  if (providerInstanceIds.length > 0) {
    await attempt(target, () => provider.deleteNodes({ clusterId, providerInstanceIds }, call()))
    return [...standing].map((id) => `node ${id}`)
  }
  const allocationsEnded = new Set(traces.allocationIds.values())
  const swept = await attempt(target, () => provider.sweepLeftovers({ installationId, allocationsEnded }, call()))
  const kept = swept.value?.map(({ kind, id }) => `${kind} ${id}`) ?? []
  return [...failures(nodes.failure, swept.failure), ...kept]
}

async function standingAfterAll(traces: Traces): Promise<readonly string[]> {
  const { nodes } = await traces.ledger()
  return nodes.filter(({ id, deletedAt }) => deletedAt === null && traces.instanceIds.has(id)).map(({ id }) => id)
}

interface Attempt<T> {
  readonly value: T | null
  readonly failure: string | null
}

/** An adapter that fails, or never answers, must not end the cleaning up. */
async function attempt<T>({ patience }: Target, act: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { value: await endsWithin(patience.callMs + patience.graceMs, act()), failure: null }
  } catch (error) {
    const kind = error instanceof ProviderError ? error.kind : 'error'
    return { value: null, failure: `${kind}: ${error instanceof Error ? error.message : String(error)}` }
  }
}

const failures = (...all: readonly (string | null)[]): readonly string[] =>
  all.filter((failure) => failure !== null).map((failure) => `unknown, because looking failed (${failure})`)
