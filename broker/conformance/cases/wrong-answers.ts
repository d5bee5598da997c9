/** Answers that are late in coming, that say no, and that nobody can read. */
import assert from 'node:assert/strict'
import { ProviderError } from '../../../shared/provider-error.ts'
import type { Provider } from '../../../shared/provider.ts'
import type { ContractCase } from '../contract-case.ts'
import { SAYS } from '../sentences.ts'
import { aCall, aGroup, aReadyGroup, answering, idsOf, listAll, listOf, rejectionOf, untilListed } from '../steps.ts'
import { TRIES } from './every-call.ts'
import type { CaseWorld } from '../world.ts'

const LONGEST_MESSAGE = 500

/** An adapter of its own: whoever is asked to pause may keep the pause, and what comes after must not wait for it. */
const asked = (world: CaseWorld): Provider => world.withFreshProvider().provider

export const WRONG_ANSWERS: readonly ContractCase[] = [
  {
    id: 'create-500',
    rule: 'calls a 500 to a create unreachable, maybe done',
    says: SAYS.noAnswer,
    needs: ['faults'],
    async run(world) {
      const group = await aGroup(world)
      await world.sandbox.setFaults([answering(world.sandbox.calls.create, 500, { times: 1 })])
      const error = await rejectionOf('unreachable', world.provider.createNodes(group, aCall(world)))
      assert.equal(error.effect, 'maybe')
    },
  },
  {
    id: 'list-503',
    rule: 'calls a 503 to a list unreachable, nothing done',
    says: SAYS.noEffect,
    needs: ['faults'],
    nodes: () => 0,
    async run(world) {
      await world.sandbox.setFaults([answering(world.sandbox.calls.list, 503, { times: 1, body: 'busy' })])
      assert.equal((await rejectionOf('unreachable', listAll(world))).effect, 'none')
    },
  },
  {
    id: 'delete-500',
    rule: 'calls a 500 to a deletion unreachable, and deletes when it is asked again',
    says: SAYS.noAnswer,
    needs: ['faults'],
    async run(world) {
      const { nodes } = await aReadyGroup(world)
      await world.sandbox.setFaults([answering(world.sandbox.calls.remove, 500)])
      const request = { clusterId: world.clusterId, providerInstanceIds: idsOf(nodes) }
      await rejectionOf('unreachable', world.provider.deleteNodes(request, aCall(world)))
    },
  },
  {
    id: 'create-throttled',
    rule: 'calls a 429 throttled, nothing done, and says how long the operator asked it to wait',
    says: SAYS.retryAfter,
    needs: ['faults'],
    async run(world) {
      const group = await aGroup(world)
      const headers = { 'retry-after': '7' }
      await world.sandbox.setFaults([answering(world.sandbox.calls.create, 429, { times: 1, headers })])
      const error = await rejectionOf('throttled', asked(world).createNodes(group, aCall(world)))
      assert.equal(error.effect, 'none')
      assert.equal(error.retryAfterMs, 7_000)
      assert.deepEqual(await listOf(world, group), [])
    },
  },
  {
    id: 'create-throttled-until-a-date',
    rule: 'understands an operator that asks it to wait until a date',
    says: SAYS.retryAfter,
    needs: ['faults'],
    async run(world) {
      const group = await aGroup(world)
      const headers = { 'retry-after': new Date(Date.now() + 60_000).toUTCString() }
      await world.sandbox.setFaults([answering(world.sandbox.calls.create, 429, { times: 1, headers })])
      const error = await rejectionOf('throttled', asked(world).createNodes(group, aCall(world)))
      const waitMs = error.retryAfterMs ?? 0
      assert.ok(waitMs > 30_000 && waitMs <= 61_000, `retryAfterMs is ${error.retryAfterMs} for a date in a minute`)
    },
  },
  {
    id: 'list-throttled',
    rule: 'calls a 429 to a list throttled, nothing done, and claims no pause that the operator did not ask for',
    says: SAYS.throttled,
    needs: ['faults'],
    nodes: () => 0,
    async run(world) {
      await world.sandbox.setFaults([answering(world.sandbox.calls.list, 429, { times: 1 })])
      const error = await rejectionOf('throttled', listAll(world.withFreshProvider()))
      assert.equal(error.effect, 'none')
      assert.equal(error.retryAfterMs, null)
    },
  },
  {
    id: 'delete-throttled',
    rule: 'calls a 429 to a deletion throttled, and the nodes stay listed',
    says: SAYS.throttled,
    needs: ['faults'],
    async run(world) {
      const { group, nodes } = await aReadyGroup(world)
      await world.sandbox.setFaults([answering(world.sandbox.calls.remove, 429)])
      const request = { clusterId: world.clusterId, providerInstanceIds: idsOf(nodes) }
      await rejectionOf('throttled', asked(world).deleteNodes(request, aCall(world)))
      assert.deepEqual(idsOf(await listOf(world, group)), idsOf(nodes))
    },
  },
  {
    id: 'create-malformed',
    rule: 'calls an unreadable answer to a create malformed, maybe done, and lists what it made',
    says: SAYS.maybe,
    needs: ['faults'],
    nodes: () => 1,
    async run(world) {
      const group = await aGroup(world, { size: 1 })
      await world.sandbox.setFaults([{ match: world.sandbox.calls.create, times: 1, effect: 'malformed' }])
      const error = await rejectionOf('malformed', world.provider.createNodes(group, aCall(world)))
      assert.equal(error.effect, 'maybe')
      await untilListed(world, group)
    },
  },
  {
    id: 'list-malformed',
    rule: 'calls an unreadable list malformed, nothing done',
    says: SAYS.unreadable,
    needs: ['faults'],
    nodes: () => 0,
    async run(world) {
      await world.sandbox.setFaults([{ match: world.sandbox.calls.list, times: 1, effect: 'malformed' }])
      assert.equal((await rejectionOf('malformed', listAll(world))).effect, 'none')
    },
  },
  {
    id: 'list-of-another-shape',
    rule: 'calls a list that is JSON of another shape malformed, and never an empty list',
    says: SAYS.missing,
    needs: ['faults'],
    nodes: () => 1,
    async run(world) {
      await aReadyGroup(world, { size: 1 })
      const body = { page: { of: 'something else' } }
      await world.sandbox.setFaults([{ match: world.sandbox.calls.list, effect: 'malformed', body }])
      await rejectionOf('malformed', listAll(world))
    },
  },
  {
    id: 'errors-only-provider-errors',
    rule: 'rejects with nothing but a ProviderError, whatever a gateway in between answers',
    says: SAYS.onlyProviderErrors,
    needs: ['faults', 'unknown-id'],
    async run(world) {
      const group = await aGroup(world)
      for (const status of [302, 400, 403, 404, 409, 418, 502]) {
        await world.sandbox.setFaults([answering({}, status, { body: '<html><h1>Gateway</h1></html>' })])
        for (const [name, attempt] of Object.entries(TRIES)) {
          try {
            await attempt(world, group, aCall(world))
          } catch (error) {
            assert.ok(error instanceof ProviderError, `${name} answered ${status} rejects with ${String(error)}`)
          }
        }
      }
    },
  },
  {
    id: 'errors-cut-short',
    rule: 'keeps of the operator’s words no more than 500 characters',
    says: SAYS.ownWords,
    needs: ['faults'],
    nodes: () => 0,
    async run(world) {
      const body = { message: 'word '.repeat(1_000), error: { message: 'word '.repeat(1_000) } }
      await world.sandbox.setFaults([answering(world.sandbox.calls.list, 400, { body })])
      const error = await listAll(world).then(
        () => assert.fail('a list answered 400 resolves'),
        (reason: unknown) => reason,
      )
      assert.ok(error instanceof ProviderError, String(error))
      const { message, providerMessage } = error
      assert.ok(message.length <= LONGEST_MESSAGE, `the message has ${message.length} characters`)
      assert.ok((providerMessage ?? '').length <= LONGEST_MESSAGE, 'providerMessage is longer than 500 characters')
    },
  },
]
