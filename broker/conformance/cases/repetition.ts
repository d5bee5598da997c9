/** The same group asked for again, and what changed in between. */
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { ProviderError } from '../../../shared/provider-error.ts'
import type { NodeGroup } from '../../../shared/provider.ts'
import type { ContractCase } from '../contract-case.ts'
import { SAYS } from '../sentences.ts'
import {
  WITH_KEY,
  aCall,
  aGroup,
  aReadyGroup,
  deleteUntil,
  idsOf,
  listAll,
  listOf,
  release,
  untilListed,
  untilReady,
} from '../steps.ts'
import type { CaseWorld } from '../world.ts'

export const REPETITION: readonly ContractCase[] = [
  {
    id: 'create-ten-times',
    rule: 'makes one set of nodes however often the same group is asked for',
    says: SAYS.twice,
    needs: [],
    async run(world) {
      const group = await aGroup(world, WITH_KEY)
      await world.provider.createNodes(group, aCall(world))
      const before = await untilListed(world, group)
      for (let time = 2; time <= 10; time += 1) await world.provider.createNodes(group, aCall(world))
      assert.deepEqual(idsOf(await untilReady(world, group)), idsOf(before))
      await ledgerHas(world, group.size)
    },
  },
  {
    id: 'create-ready-again',
    rule: 'makes nothing when a group that is ready is asked for again',
    says: SAYS.twice,
    needs: [],
    async run(world) {
      const { group, nodes } = await aReadyGroup(world)
      await world.provider.createNodes(group, aCall(world))
      assert.deepEqual(idsOf(await listOf(world, group)), idsOf(nodes))
      await ledgerHas(world, group.size)
    },
  },
  {
    id: 'create-by-another-replica',
    rule: 'makes nothing when a group is asked for again by a broker that remembers nothing',
    says: SAYS.twice,
    needs: [],
    async run(world) {
      const { group, nodes } = await aReadyGroup(world)
      const other = world.withFreshProvider()
      await other.provider.createNodes(group, aCall(other))
      assert.deepEqual(idsOf(await listOf(other, group)), idsOf(nodes))
      await ledgerHas(world, group.size)
    },
  },
  {
    id: 'create-other-body',
    rule: 'makes nothing more when the name of a group comes again with other keys',
    says: SAYS.twice,
    needs: [],
    run: (world) => asksAgain(world, (group) => ({ ...group, sshPublicKeys: ['ssh-ed25519 AAAAC3Nza other@example'] })),
  },
  {
    id: 'create-smaller-again',
    rule: 'neither makes nor removes anything when the name of a group comes again with a smaller size',
    says: SAYS.twice,
    needs: [],
    run: (world) => asksAgain(world, (group) => ({ ...group, size: 1 })),
  },
  {
    id: 'create-after-member-deleted',
    rule: 'never makes more than the group when it is asked again after a member was deleted',
    says: SAYS.twice,
    needs: [],
    async run(world) {
      const { group, nodes } = await aReadyGroup(world)
      const ids = nodes.slice(0, 1).map(({ providerInstanceId }) => providerInstanceId)
      await deleteUntil(world, group, { ids, left: nodes.length - 1 })
      await createTolerantly(world, group)
      const after = await listOf(world, group)
      assert.ok(after.length <= group.size, `${after.length} nodes stand, the group has ${group.size}`)
      assert.equal(new Set(after.map(({ name }) => name)).size, after.length)
    },
  },
  {
    id: 'create-beside-another-allocation',
    rule: 'makes nothing of another allocation when a group is asked for again',
    says: SAYS.twice,
    needs: [],
    async run(world) {
      const { group, nodes } = await aReadyGroup(world, { size: 1, allocation: 1 })
      const other = await aReadyGroup(world, { size: 1, allocation: 2 })
      await world.provider.createNodes(group, aCall(world))
      assert.deepEqual(idsOf(await listAll(world)), [...idsOf(nodes), ...idsOf(other.nodes)].toSorted())
    },
  },
  {
    id: 'token-renewed',
    rule: 'goes on when its token expires between calls',
    says: SAYS.unauthenticated,
    needs: ['faults'],
    async run(world) {
      // One that has a token already would keep that for hours.
      const withNewToken = world.withFreshProvider()
      await world.sandbox.setBehaviour({ tokenTtlMs: TOKEN_LIFE_MS })
      await listAll(withNewToken).catch(onlyUnauthenticated)
      // Tokens last again from here on, so that only the one that is held runs out, however slow the machine is.
      await world.sandbox.setBehaviour({ tokenTtlMs: null })
      await pause(TOKEN_LIFE_MS, undefined, { signal: world.signal })
      const { group } = await aReadyGroup(withNewToken)
      await release(withNewToken, group)
    },
  },
]

const TOKEN_LIFE_MS = 400

/** On a slow machine the token may run out on its way. */
function onlyUnauthenticated(error: unknown): void {
  if (!(error instanceof ProviderError) || error.kind !== 'unauthenticated') throw error
}

// The contract lets an operator refuse the name; what counts is that no name ever stands twice.
async function createTolerantly(world: CaseWorld, group: NodeGroup): Promise<void> {
  try {
    await world.provider.createNodes(group, aCall(world))
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
  }
}

async function asksAgain(world: CaseWorld, changed: (group: NodeGroup) => NodeGroup): Promise<void> {
  const { group, nodes } = await aReadyGroup(world)
  await createTolerantly(world, changed(group))
  assert.deepEqual(idsOf(await listOf(world, group)), idsOf(nodes))
  await ledgerHas(world, group.size)
}

/** Where nobody can show a ledger, the lists have said it. */
async function ledgerHas(world: CaseWorld, nodes: number): Promise<void> {
  const built = (await world.ledger()).nodes
  if (built.length > 0) assert.equal(built.length, nodes, `the operator built ${built.length} nodes, not ${nodes}`)
}
