/** Interconnect groups, asked for until the operator is done with them. */
import type { NodeGroup } from '../../../shared/provider.ts'
import { aCall, eventually, idsOf, listOf } from '../steps.ts'
import type { CaseWorld } from '../world.ts'

/** @param providerInstanceIds default all nodes that the list shows */
export async function join(
  world: CaseWorld,
  { clusterId, ...group }: NodeGroup,
  providerInstanceIds?: readonly string[],
): Promise<void> {
  const ids = providerInstanceIds ?? idsOf(await listOf(world, { clusterId, ...group }))
  const request = { clusterId, owner: group.owner, providerInstanceIds: ids }
  await eventually(world, 'a settled interconnect group', {
    ask: async () => await world.provider.joinFabric?.(request, aCall(world)),
    until: (answer) => answer?.settled === true,
  })
}

export async function leave(world: CaseWorld, { clusterId, owner }: NodeGroup): Promise<void> {
  await eventually(world, 'a dissolved interconnect group', {
    ask: async () => await world.provider.leaveFabric?.({ clusterId, owner }, aCall(world)),
    until: (answer) => answer?.settled === true,
  })
}
