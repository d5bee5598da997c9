/** Calls end when their caller says so: at the deadline, or when it has gone. */
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import type { ProviderError } from '../../../shared/provider-error.ts'
import type { ContractCase } from '../contract-case.ts'
import { SAYS } from '../sentences.ts'
import {
  aCall,
  aGroup,
  endsWithin,
  eventually,
  listAll,
  listOf,
  rejection,
  rejectionOf,
  release,
  untilListed,
  untilReady,
} from '../steps.ts'
import type { CaseWorld } from '../world.ts'
import { CALL_NAMES, TRIES, type CallName } from './every-call.ts'

const SHORT_MS = 200
const DRIP_MS = 20_000
/** Within it a create is sent, after whatever goes before it; where it is not, twice as long is tried, and so on. */
const UNDER_WAY_MS = 300
const LONGEST_UNDER_WAY_MS = 16 * UNDER_WAY_MS

/** What is surely not done when nothing was answered, and what may be. */
const CHANGES: Readonly<Record<CallName, boolean>> = {
  ping: false,
  describe: false,
  list: false,
  create: true,
  delete: true,
  sweep: true,
}

export const PATIENCE: readonly ContractCase[] = [
  ...CALL_NAMES.map(
    (name): ContractCase => ({
      id: `deadline-${name}`,
      rule: `gives up at its deadline when the operator never answers: ${name}`,
      says: SAYS.deadline,
      needs: ['faults', 'unknown-id'],
      async run(world) {
        const group = await aGroup(world)
        await world.sandbox.setFaults([{ match: {}, effect: 'black-hole' }])
        const call = aCall(world, { withinMs: SHORT_MS })
        const error = await endsWithin(SHORT_MS + world.patience.graceMs, rejection(TRIES[name](world, group, call)))
        assert.equal(error.kind, 'unreachable')
        if (!CHANGES[name]) assert.equal(error.effect, 'none')
      },
    }),
  ),
  ...CALL_NAMES.map(
    (name): ContractCase => ({
      id: `aborted-${name}`,
      rule: `sends nothing once its caller has gone: ${name}`,
      says: SAYS.abort,
      needs: ['unknown-id'],
      async run(world) {
        const group = await aGroup(world)
        const call = aCall(world, { signal: AbortSignal.abort() })
        const error = await endsWithin(world.patience.graceMs, rejection(TRIES[name](world, group, call)))
        assert.equal(error.kind, 'unreachable')
        assert.equal(error.effect, 'none')
        await nothingWasMade(world)
      },
    }),
  ),
  {
    id: 'deadline-past',
    rule: 'sends nothing past its deadline',
    says: SAYS.deadline,
    needs: [],
    async run(world) {
      const group = await aGroup(world)
      const call = aCall(world, { withinMs: -1 })
      const error = await rejectionOf('unreachable', world.provider.createNodes(group, call))
      assert.equal(error.effect, 'none')
      await nothingWasMade(world)
    },
  },
  {
    id: 'deadline-in-drips',
    rule: 'gives a list up at its deadline when the answer comes in drips',
    says: SAYS.deadline,
    needs: ['faults'],
    nodes: () => 0,
    async run(world) {
      await world.sandbox.setFaults([{ match: world.sandbox.calls.list, effect: 'slow-drip', delayMs: DRIP_MS }])
      const { installationId, provider } = world
      const listing = provider.listNodes({ installationId }, aCall(world, { withinMs: SHORT_MS }))
      const error = await endsWithin(SHORT_MS + world.patience.graceMs, rejection(listing))
      assert.equal(error.kind, 'unreachable')
    },
  },
  {
    id: 'create-answered-late',
    rule: 'calls a create unreachable, maybe done, when its answer comes after the deadline, and lists what it made',
    says: SAYS.maybe,
    needs: ['faults'],
    nodes: () => 1,
    async run(world) {
      const group = await aGroup(world, { size: 1 })
      const error = await underWay(world, (ms) =>
        rejectionOf('unreachable', world.provider.createNodes(group, aCall(world, { withinMs: ms }))),
      )
      assert.equal(error.effect, 'maybe')
      await untilListed(world, group)
      await release(world, group)
    },
  },
  {
    id: 'abort-list-in-flight',
    rule: 'ends a call in flight with its caller',
    says: SAYS.abort,
    needs: ['faults'],
    nodes: () => 0,
    async run(world) {
      await world.sandbox.setFaults([{ match: world.sandbox.calls.list, effect: 'black-hole' }])
      const caller = new AbortController()
      const { installationId, provider } = world
      const listing = rejection(provider.listNodes({ installationId }, aCall(world, { signal: caller.signal })))
      listing.catch(() => {}) // it may fail while nobody waits for it yet
      await world.ledger() // a round trip to the operator, so that the list is under way
      caller.abort()
      assert.equal((await endsWithin(world.patience.graceMs, listing)).kind, 'unreachable')
    },
  },
  {
    id: 'abort-create-in-flight',
    rule: 'calls a create whose caller goes while it is under way maybe done, makes no more of it, and the group when asked again',
    says: SAYS.abort,
    needs: ['faults'],
    async run(world) {
      const group = await aGroup(world)
      const error = await underWay(world, async (ms) => {
        const caller = new AbortController()
        const creating = rejection(world.provider.createNodes(group, aCall(world, { signal: caller.signal })))
        setTimeout(() => caller.abort(), ms)
        return await endsWithin(ms + world.patience.graceMs, creating)
      })
      assert.equal(error.kind, 'unreachable')
      // As the broker does: it looks for what may have been done before it asks again.
      await eventually(world, 'what was under way', {
        ask: () => listOf(world, group),
        until: (nodes) => nodes.length > 0,
      })
      await world.provider.createNodes(group, aCall(world))
      await untilReady(world, group)
      assert.equal((await world.ledger()).nodes.length, group.size)
    },
  },
]

/**
 * Ends a create, after so many ms, that the operator answers only after twice as many. On a slow machine it may not have
 * been sent by then, and says so truly where nothing was made in the end: then it is given longer.
 */
async function underWay(
  { sandbox, signal, ledger }: CaseWorld,
  endAfter: (ms: number) => Promise<ProviderError>,
): Promise<ProviderError> {
  for (let ms = UNDER_WAY_MS; ; ms *= 2) {
    await sandbox.setFaults([{ match: sandbox.calls.create, times: 1, effect: 'delay', delayMs: 2 * ms }])
    const error = await endAfter(ms)
    if (error.effect === 'maybe' || ms >= LONGEST_UNDER_WAY_MS) return error
    await pause(2 * ms, undefined, { signal })
    if ((await ledger()).nodes.length > 0) return error
  }
}

async function nothingWasMade(world: CaseWorld): Promise<void> {
  assert.deepEqual(await world.ledger(), { nodes: [], others: [] })
  assert.deepEqual(await listAll(world), [])
}
