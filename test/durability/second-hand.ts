/** Somebody else's hand at an operator: makes nodes with whatever tag, behind the broker's back. */
import { createProvider } from '../../adapters/registry.ts'
import { groupName } from '../../shared/ids.ts'
import { ProviderError } from '../../shared/provider-error.ts'
import type { NodeGroup, Provider } from '../../shared/provider.ts'
import type { OperatorId, TestSandbox } from '../support/sandbox.ts'
import { aCall } from '../contract/contract-world.ts'
import { eventually } from './eventually.ts'

export interface Planting {
  readonly installationId: string
  readonly allocationId: string
  readonly nodes: number
  /** Of the group; default 1,000, far beyond what a broker comes to in a test. */
  readonly counter?: number
}

export interface SecondHand {
  /** Makes nodes and waits until each has been ready. @returns their ids */
  plant(planting: Planting): Promise<string[]>
  remove(ids: readonly string[]): Promise<void>
  close(): void
}

/** Operators that stop before they delete are asked again. */
function isNotYet(error: unknown): false {
  if (error instanceof ProviderError && error.kind === 'busy') return false
  throw error
}

const FAR_COUNTER = 1_000

export function secondHandAt(sandbox: TestSandbox, operator: OperatorId): SecondHand {
  const raw = sandbox.settings.providers.find((one) => (one as { readonly id: string }).id === operator) // for-broker.ts makes them
  const provider = createProvider(operator, raw, { now: Date.now })
  const clusterOf = async (): Promise<Awaited<ReturnType<Provider['describe']>>[number]> => {
    const [cluster] = await provider.describe(aCall())
    if (cluster === undefined) throw new Error(`${operator} serves no cluster`)
    return cluster
  }
  return {
    async plant({ nodes, counter = FAR_COUNTER, ...owner }) {
      const { clusterId, images, networks } = await clusterOf()
      const name = groupName(owner.allocationId, counter)
      const group: NodeGroup = {
        name,
        size: nodes,
        clusterId,
        imageAlias: images[0] ?? '',
        network: networks[0] ?? '',
        sshPublicKeys: [],
        owner: { ...owner, group: name },
      }
      await provider.createNodes(group, aCall())
      // A sweep may have taken the first away before the last is up: each counts that was seen to be up.
      const seen = new Set<string>()
      const look = async (): Promise<number> => {
        for (const { owner: tag, state, providerInstanceId } of await provider.listNodes(owner, aCall()))
          if (tag?.group === name && state === 'ready') seen.add(providerInstanceId)
        return seen.size
      }
      await eventually(`${nodes} planted nodes at ${operator}`, look, (count) => count === nodes)
      return [...seen]
    },
    async remove(ids) {
      const { clusterId } = await clusterOf()
      const request = { clusterId, providerInstanceIds: ids, adopted: ids }
      await eventually(
        `${ids.length} nodes asked to go at ${operator}`,
        () => provider.deleteNodes(request, aCall()).then(() => true, isNotYet),
        (accepted) => accepted,
      )
    },
    close: () => provider.close(),
  }
}
