/** How adapters are broken on purpose: the shape of a broken one, and ways to change one call or one error. */
import { ProviderError, type ProviderErrorDetails, type ProviderErrorKind } from '../../../shared/provider-error.ts'
import type { Call, NodeGroup, Provider } from '../../../shared/provider.ts'
import type { Breakage } from '../memory-target.ts'

export interface Mutant extends Breakage {
  /** What the broken adapter does: the name of its test. */
  readonly does: string
  readonly fails: readonly string[]
}

export type Change = (error: ProviderError) => unknown

/** Lets a promise reject with something else. */
export const turning = async <T>(promise: Promise<T>, change: Change): Promise<T> => {
  try {
    return await promise
  } catch (error) {
    throw error instanceof ProviderError ? await change(error) : error
  }
}

export const detailsOf = ({ effect, code, providerMessage, retryAfterMs }: ProviderError): ProviderErrorDetails => ({
  effect,
  code,
  providerMessage,
  retryAfterMs,
})

export const as = (error: ProviderError, kind: ProviderErrorKind, details: Partial<ProviderErrorDetails> = {}) =>
  new ProviderError(kind, error.message, { ...detailsOf(error), ...details })

export const onCreate =
  (change: Change) =>
  (good: Provider): Partial<Provider> => ({
    createNodes: (group, call) => turning(good.createNodes(group, call), change),
  })
export const onList =
  (change: Change) =>
  (good: Provider): Partial<Provider> => ({
    listNodes: (filter, call) => turning(good.listNodes(filter, call), change),
  })
export const onDelete =
  (change: Change) =>
  (good: Provider): Partial<Provider> => ({
    deleteNodes: (request, call) => turning(good.deleteNodes(request, call), change),
  })

export const creating =
  (change: (group: NodeGroup) => NodeGroup) =>
  (good: Provider): Partial<Provider> => ({
    createNodes: (group, call) => good.createNodes(change(group), call),
  })

export const refuse = (message: string, kind: ProviderErrorKind = 'refused') =>
  new ProviderError(kind, message, { effect: 'none' })

/** A group of one instead, when the whole does not fit. */
export const halfWhen =
  (kind: ProviderErrorKind) =>
  (good: Provider): Partial<Provider> => ({
    async createNodes(group, call) {
      try {
        return await good.createNodes(group, call)
      } catch (error) {
        if (error instanceof ProviderError && error.kind === kind && group.size > 1) {
          await good.createNodes({ ...group, size: 1 }, call).catch(() => [])
        }
        throw error
      }
    },
  })

export const hasGroup = async (good: Provider, group: NodeGroup, call: Call): Promise<boolean> =>
  (await good.listNodes(group.owner, call)).some(({ owner }) => owner?.group === group.name)
