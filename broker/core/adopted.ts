/**
 * Nodes that were taken over from a fleet in use. Their operator knows them under names that are not ours and in an
 * interconnect that we have not made: they are recognised by their instance ids, and shown to the comparison under the
 * names that they are bound to, so that it needs to know nothing of it.
 */
import type { ProviderNode } from '../../shared/provider.ts'
import type { WantedNode } from './reconcile.ts'

export type BoundNode = Pick<WantedNode, 'name' | 'providerInstanceId'> & { readonly adopted: boolean }

export const adoptedIds = (nodes: readonly BoundNode[]): string[] =>
  nodes.flatMap((node) => (node.adopted && node.providerInstanceId !== null ? [node.providerInstanceId] : []))

/** @param intent whoever keeps its nodes has them joined as they are; whoever gives them back has no group to dissolve */
export function underOurNames(
  found: readonly ProviderNode[],
  nodes: readonly BoundNode[],
  intent: 'hold' | 'release',
): readonly ProviderNode[] {
  const nameOf = new Map(nodes.filter((node) => node.adopted).map((node) => [node.providerInstanceId, node.name]))
  if (nameOf.size === 0) return found
  return found.map((node) => {
    const name = nameOf.get(node.providerInstanceId)
    return name === undefined ? node : { ...node, name, inFabric: intent === 'hold' }
  })
}

/** What a whole list shows of nodes that were taken over: whose they are, as if they carried our tag and our names. */
export function underOurTag(
  listed: readonly ProviderNode[],
  adopted: readonly (BoundNode & { readonly allocationId: string; readonly groupName: string })[],
  installationId: string,
): readonly ProviderNode[] {
  const byId = new Map(adopted.map((node) => [node.providerInstanceId, node]))
  return listed.map((node) => {
    const bound = byId.get(node.providerInstanceId)
    if (bound === undefined) return node
    const owner = { installationId, allocationId: bound.allocationId, group: bound.groupName }
    return { ...node, name: bound.name, owner }
  })
}
