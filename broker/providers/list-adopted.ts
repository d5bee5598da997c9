/** What an operator has of instance ids that somebody wrote down: for taking over a fleet that is in use. */
import { ProviderError } from '../../shared/provider-error.ts'
import type { ProviderNode } from '../../shared/provider.ts'
import { Refusal } from '../../shared/refusal.ts'
import { type EpochMs, SECOND_MS } from '../../shared/time.ts'
import type { ProviderDirectory } from './directory.ts'

/** Somebody waits for the answer. */
const DEADLINE_MS = 30 * SECOND_MS

/** @returns a list of this installation's nodes and of those named; it throws Refusal `unavailable` where none is to be had */
export const adoptedLister =
  (directory: ProviderDirectory, installationId: string, now: () => EpochMs) =>
  async (providerId: string, ids: readonly string[]): Promise<readonly ProviderNode[]> => {
    const entry = directory.get(providerId)
    if (entry === null) throw new Refusal('unavailable', `The operator ${providerId} is not configured.`)
    const signal = AbortSignal.timeout(DEADLINE_MS)
    const call = { operationId: `import-${providerId}`, deadlineAt: now() + DEADLINE_MS, signal }
    try {
      return await entry.provider.listNodes({ installationId, adopted: ids }, call)
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error
      throw new Refusal('unavailable', `The operator ${providerId} cannot say now which nodes it has: ${error.kind}.`)
    }
  }
