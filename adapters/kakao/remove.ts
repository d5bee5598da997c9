/**
 * Asking for nodes to go. Each is a call of its own, so one that cannot go yet does not keep the others: all are asked,
 * and what went wrong is told at the end.
 */
import { ProviderError } from '../../shared/provider-error.ts'
import type { Call } from '../../shared/provider.ts'
import type { KakaoClient } from './client.ts'
import type { KakaoSettings } from './config.ts'

/** Anything else is no instance's id, and could mean another path. */
const SENDABLE = /^[\w-]{1,64}$/

/** After these, asking for the next node is no use. */
const ENDS_ALL = new Set(['throttled', 'unauthenticated'])

export interface RemoverOptions {
  readonly settings: KakaoSettings
  readonly client: KakaoClient
}

/** @returns how `deleteNodes` is done; a node that is already gone is success */
export function createRemover({ settings, client }: RemoverOptions) {
  const remove = async (id: string, call: Call): Promise<void> => {
    const url = `${settings.bcsUrl}/api/v1/instances/${id}`
    await client.send({ what: 'the delete of a node', method: 'DELETE', url, changes: true }, call)
  }

  return async (providerInstanceIds: readonly string[], call: Call): Promise<void> => {
    const waiting = [...new Set(providerInstanceIds)].filter((id) => SENDABLE.test(id))
    const errors: ProviderError[] = []
    let accepted = 0
    const lane = async (): Promise<void> => {
      for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
        const error = await failureOf(remove(id, call))
        if (error === null) accepted += 1
        else if (error.kind !== 'not-found') errors.push(error)
        if (error !== null && ENDS_ALL.has(error.kind)) waiting.length = 0
      }
    }
    await Promise.all(Array.from({ length: settings.maxConcurrent }, lane))
    const worst = errors.find(({ kind }) => kind !== 'busy') ?? errors[0]
    if (worst !== undefined) throw forAll(worst, accepted > 0 || errors.some(({ effect }) => effect === 'maybe'))
  }
}

async function failureOf(work: Promise<void>): Promise<ProviderError | null> {
  try {
    await work
    return null
  } catch (error) {
    if (error instanceof ProviderError) return error
    throw error
  }
}

/** "Nothing happened" is true only if it is true of every node. */
const forAll = ({ kind, message, code, providerMessage, retryAfterMs }: ProviderError, happened: boolean) =>
  new ProviderError(kind, message, { effect: happened ? 'maybe' : 'none', code, providerMessage, retryAfterMs })
