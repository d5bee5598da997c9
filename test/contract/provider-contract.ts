/**
 * The conformance kit as mocha tests: for each sentence of `shared/provider.ts`, whether an adapter keeps it, tried against
 * an operator that answers, forgets to answer, and answers wrongly. An adapter is finished when it passes. The cases are
 * the very ones that outsiders run (broker/conformance/cases); nothing of them is described here again.
 */
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { CASES } from '../../broker/conformance/cases/all.ts'
import type { Target } from '../../broker/conformance/contract-case.ts'
import { runCase } from '../../broker/conformance/run.ts'
import { type ContractWorld, PATIENCE, standingIn } from './contract-world.ts'

/** A case may wait for several nodes to boot, stop and go. */
const CASE_MS = 300_000

/** @param setUp makes an operator with an adapter in front of it, shared by all cases as in a run of the kit */
export function describeProviderContract(name: string, setUp: () => Promise<ContractWorld>): void {
  describe(`the provider contract, kept by ${name}`, function contract() {
    this.timeout(CASE_MS)
    let world: ContractWorld | null = null
    const current = (): ContractWorld => {
      if (world === null) throw new Error('a case asked for its world before it was set up')
      return world
    }
    before(async () => {
      world = await setUp()
    })
    after(async () => await world?.tearDown())

    for (const one of CASES) {
      it(`${one.id}: ${one.rule}`, async function contractCase() {
        const { outcome, reason, leftBehind } = await runCase(one, targetOf(current()))
        if (outcome === 'skipped') this.skip()
        expect(reason).to.equal(null)
        expect(leftBehind).to.deep.equal([])
      })
    }

    it('leaves nothing behind in the end', async () => {
      expect(standingIn(await current().ledger())).to.deep.equal([])
    })
  })
}

function targetOf(world: ContractWorld): Target {
  const { provider, wrongKeyProvider, clusterId, unknownInstanceId, pageSize, calls } = world
  return {
    provider,
    freshProvider: () => world.freshProvider(),
    wrongKeyProvider,
    wrongSecrets: ['wrong-key'],
    clusterId,
    unknownInstanceId,
    pageSize,
    burstNodes: BURST_NODES,
    maxNodes: 1_000,
    patience: PATIENCE,
    sandbox: {
      calls,
      setFaults: (faults) => world.setFaults(faults),
      setBehaviour: (behaviour) => world.setBehaviour(behaviour),
      setClock: (offsetMs) => world.setClock(offsetMs),
      ledger: () => world.ledger(),
    },
  }
}

/** Enough for many groups at once; the whole of a cluster is for a run of the kit by hand. */
const BURST_NODES = 64
