/** Nodes that somebody built by hand before there was a broker: they run, and carry no tag of any installation. */
import { createProvider } from '../../adapters/registry.ts'
import type { NodeGroup } from '../../shared/provider.ts'
import { aCall } from '../contract/contract-world.ts'
import type { OperatorId } from '../support/sandbox.ts'
import { eventually } from './eventually.ts'
import type { Operators } from './operators.ts'

let groups = 0

export interface HandMade {
  readonly clusterId: string
  readonly providerInstanceIds: string[]
}

/** Builds so many at the operator’s first cluster, under names of their own, and waits until they are up. */
export async function handMadeAt(operators: Operators, operator: OperatorId, nodes: number): Promise<HandMade> {
  const settings = operators.settings.providers.find((one) => (one as { readonly id: string }).id === operator) // for-broker.ts makes them
  const provider = createProvider(operator, settings, { now: Date.now })
  try {
    const [cluster] = await provider.describe(aCall())
    if (cluster === undefined) throw new Error(`${operator} serves no cluster`)
    groups += 1
    const name = `by-hand-${groups}`
    const group: NodeGroup = {
      name,
      size: nodes,
      clusterId: cluster.clusterId,
      imageAlias: cluster.images[0] ?? '',
      network: cluster.networks[0] ?? '',
      sshPublicKeys: [],
      owner: { installationId: 'nobody', allocationId: 'nothing', group: name }, // no tag that can be read as one
    }
    await provider.createNodes(group, aCall())
    const idsOf = async (): Promise<string[]> =>
      (await operators.ledger(operator)).nodes.filter((node) => node.name.startsWith(name)).map(({ id }) => id)
    const isUp = async (): Promise<boolean> => {
      const adopted = await idsOf()
      const listed = await provider.listNodes({ installationId: 'nobody', adopted }, aCall())
      return listed.filter(({ owner, state }) => owner === null && state === 'ready').length === nodes
    }
    await eventually(`${nodes} nodes by hand at ${operator}`, isUp, (up) => up)
    return { clusterId: cluster.clusterId, providerInstanceIds: await idsOf() }
  } finally {
    provider.close()
  }
}
