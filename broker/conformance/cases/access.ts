/** Keys that are not accepted, and clocks that disagree. */
import assert from 'node:assert/strict'
import { ProviderError } from '../../../shared/provider-error.ts'
import type { ContractCase } from '../contract-case.ts'
import { SAYS } from '../sentences.ts'
import { aCall, aGroup, listAll, rejection } from '../steps.ts'
import type { CaseWorld } from '../world.ts'
import { CALL_NAMES, TRIES } from './every-call.ts'

const HOUR_MS = 3_600_000

export const ACCESS: readonly ContractCase[] = [
  {
    id: 'key-not-accepted',
    rule: 'calls a key that the operator does not accept unauthenticated, nothing done',
    says: SAYS.unauthenticated,
    needs: ['wrong-key', 'unknown-id'],
    async run(world) {
      for (const error of await wrongKeyErrors(world)) {
        assert.equal(error.kind, 'unauthenticated', `it is called ${error.kind}: ${error.message}`)
        assert.equal(error.effect, 'none')
      }
      assert.deepEqual((await world.ledger()).nodes, [])
    },
  },
  {
    id: 'key-never-shown',
    rule: 'never shows a key in an error',
    says: SAYS.ownWords,
    needs: ['wrong-key', 'unknown-id'],
    async run(world) {
      for (const error of await wrongKeyErrors(world)) {
        const shown = `${error.message} ${error.providerMessage} ${error.code} ${String(error.cause)}`
        for (const secret of world.wrongSecrets) assert.ok(!shown.includes(secret), 'an error shows the key')
      }
    },
  },
  ...(
    [
      ['ahead', HOUR_MS],
      ['behind', -HOUR_MS],
    ] as const
  ).map(
    ([where, offsetMs]): ContractCase => ({
      id: `clock-${where}`,
      rule: `works, or says unauthenticated and nothing done, when the operator’s clock is an hour ${where}; works once it is right again`,
      says: SAYS.unauthenticated,
      needs: ['faults'],
      nodes: () => 0,
      async run(world) {
        await world.sandbox.setClock(offsetMs)
        try {
          assert.deepEqual(await listAll(world), [])
        } catch (error) {
          if (!(error instanceof ProviderError)) throw error
          assert.equal(error.kind, 'unauthenticated', `it is called ${error.kind}: ${error.message}`)
          assert.equal(error.effect, 'none')
        }
        await world.sandbox.setClock(0)
        assert.deepEqual(await listAll(world), [])
      },
    }),
  ),
]

async function wrongKeyErrors(world: CaseWorld): Promise<readonly ProviderError[]> {
  const group = await aGroup(world)
  const { installationId, clusterId, unknownInstanceId, wrongKeyProvider: provider } = world
  const withWrongKey = { installationId, clusterId, unknownInstanceId, provider }
  const errors: ProviderError[] = []
  for (const name of CALL_NAMES) {
    if (name === 'describe') continue // it may say so as a problem of the cluster
    errors.push(await rejection(TRIES[name](withWrongKey, group, aCall(world))))
  }
  return errors
}
