/**
 * Why a node failed. Kakao accepts a create and fails it later (its way of saying that no GPU is free), and an instance
 * carries no fault: only its action log does, at the price of a call for each. So only failed nodes are asked about, a
 * bounded number in one list, and never twice once the answer is known.
 */
import { readJson } from '../http.ts'
import { ProviderError } from '../../shared/provider-error.ts'
import type { Call, ProviderNode } from '../../shared/provider.ts'
import type { KakaoClient } from './client.ts'
import type { KakaoSettings } from './config.ts'
import { matchWords } from './errors.ts'
import { ActionLogs, reasonOf } from './wire.ts'

type Failure = NonNullable<ProviderNode['failure']>

export interface FailureReader {
  /** The same nodes, each failed one with its failure. Never rejects: a list without reasons is still the truth. */
  explain(nodes: readonly ProviderNode[], call: Call): Promise<readonly ProviderNode[]>
}

/** Reasons kept in memory; beyond it the oldest is asked for again. */
const MAX_KNOWN = 2_000

export function createFailureReader(settings: KakaoSettings, client: KakaoClient): FailureReader {
  const known = new Map<string, Failure>()
  const match = matchWords(settings.errorWords)

  const read = async (id: string, call: Call): Promise<void> => {
    const url = `${settings.bcsUrl}/api/v1/instances/${encodeURIComponent(id)}/action-logs`
    const reason = reasonOf(readJson(ActionLogs, await client.get('the action log', url, call), 'none'))
    if (reason === null) return
    // Whatever the project may not have is as far away as what is not there.
    const kind = match(reason.message) === null ? 'fault' : 'out-of-capacity'
    known.set(id, { code: reason.requestId, message: reason.message, kind })
    const oldest = known.keys().next()
    if (known.size > MAX_KNOWN && oldest.done !== true) known.delete(oldest.value)
  }

  return {
    async explain(nodes, call) {
      const unexplained = nodes.filter(
        ({ state, providerInstanceId }) => state === 'failed' && !known.has(providerInstanceId),
      )
      for (const { providerInstanceId } of unexplained.slice(0, settings.failureLookups)) {
        const asked = await succeeded(read(providerInstanceId, call))
        if (!asked) break // the list must not wait for a log that is not to be had
      }
      return nodes.map((node) => withFailure(node, known.get(node.providerInstanceId), settings.unexplainedFailure))
    },
  }
}

function withFailure(node: ProviderNode, failure: Failure | undefined, kind: Failure['kind']): ProviderNode {
  if (node.state !== 'failed') return node
  return { ...node, failure: failure ?? { code: null, message: 'the operator gave no reason', kind } }
}

/** A log that is gone (404) or refused is one without a reason; anything else but a ProviderError is a bug. */
async function succeeded(work: Promise<void>): Promise<boolean> {
  try {
    await work
    return true
  } catch (error) {
    if (error instanceof ProviderError) return error.kind === 'not-found'
    throw error
  }
}
