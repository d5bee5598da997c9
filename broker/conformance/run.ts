/** Runs cases one after the other against one target, each in a world of its own, and cleans up after each. */
import { AssertionError } from 'node:assert/strict'
import { performance } from 'node:perf_hooks'
import { ProviderError } from '../../shared/provider-error.ts'
import { cleanUp } from './clean-up.ts'
import { type ContractCase, type Target, skipReason } from './contract-case.ts'
import { endsWithin } from './steps.ts'
import { openWorld } from './world.ts'

export interface CaseResult {
  readonly id: string
  readonly rule: string
  /** The contract's sentence. */
  readonly says: string
  readonly outcome: 'passed' | 'failed' | 'skipped'
  /** Why it failed or was skipped; null when it passed. */
  readonly reason: string | null
  /** What the case made and nobody could remove; empty as a rule, whatever its outcome. */
  readonly leftBehind: readonly string[]
  readonly durationMs: number
}

export interface RunOptions {
  readonly cases: readonly ContractCase[]
  readonly target: Target
  /** Ends the run after the case at hand, which is cleaned up after. */
  readonly signal: AbortSignal
  /** Told before each case, and after it with its result. */
  readonly onCase?: (one: ContractCase, result: CaseResult | null) => void
}

/** Waiting for nodes to come, and to go, and for some calls in between. */
const WAITS_IN_A_CASE = 4

/** @returns results in the order of the cases; fewer than cases where the signal ended the run */
export async function runCases({ cases, target, signal, onCase }: RunOptions): Promise<readonly CaseResult[]> {
  const results: CaseResult[] = []
  for (const one of cases) {
    if (signal.aborted) break
    onCase?.(one, null)
    const result = await runCase(one, target, signal)
    results.push(result)
    onCase?.(one, result)
  }
  return results
}

/** Never rejects for what the adapter does; only if the sandbox's control endpoints fail. */
export async function runCase(
  one: ContractCase,
  target: Target,
  signal: AbortSignal = new AbortController().signal,
): Promise<CaseResult> {
  const { id, rule, says } = one
  const skipped = skipReason(one, target)
  if (skipped !== null) {
    return { id, rule, says, outcome: 'skipped', reason: skipped, leftBehind: [], durationMs: 0 }
  }
  const startedAt = performance.now()
  const given = new AbortController()
  const { world, traces } = await openWorld(target, AbortSignal.any([signal, given.signal]))
  const { callMs, readyMs } = target.patience
  let reason: string | null = null
  try {
    await endsWithin(WAITS_IN_A_CASE * (readyMs + callMs), one.run(world))
  } catch (error) {
    reason = signal.aborted ? 'the run was interrupted' : reasonOf(error)
  } finally {
    given.abort() // what still waits for a case that was given up
  }
  const leftBehind = await cleanUp(target, traces).finally(traces.close)
  const outcome = reason === null ? 'passed' : 'failed'
  return { id, rule, says, outcome, reason, leftBehind, durationMs: Math.round(performance.now() - startedAt) }
}

/** What was seen, in as few lines as tell it; a mistake in the adapter comes with the place where it was made. */
function reasonOf(error: unknown): string {
  if (error instanceof AssertionError) return error.message
  if (error instanceof ProviderError) {
    const operator = [error.code, error.providerMessage].filter((part) => part !== null).join(' ')
    const inTheirWords = operator === '' ? '' : ` (the operator: ${operator})`
    return `a call rejected: ${error.kind}, effect ${error.effect}: ${error.message}${inTheirWords}`
  }
  if (!(error instanceof Error)) return String(error)
  const place = error.stack?.split('\n').find((line) => line.trimStart().startsWith('at '))
  return `${error.name}: ${error.message}${place === undefined ? '' : ` ${place.trim()}`}`
}
