/**
 * The conformance suite: for each sentence of `shared/provider.ts`, whether an adapter keeps it, tried against an operator
 * that answers, forgets to answer, and answers wrongly. Mostly repetition and refusal. An adapter is finished when it
 * passes; it never knows which operator it is looking at.
 */
import { afterEach, beforeEach, describe } from 'mocha'
import { describeFailures } from './contract-failures.ts'
import { describeLifeCycle } from './contract-life-cycle.ts'
import { describeLeftovers } from './contract-leftovers.ts'
import { describeShortage } from './contract-shortage.ts'
import type { ContractWorld } from './contract-world.ts'

/** A case may wait for several nodes to boot, stop and go. */
const CASE_MS = 60_000

/** @param setUp makes a fresh operator with an adapter in front of it, before each case */
export function describeProviderContract(name: string, setUp: () => Promise<ContractWorld>): void {
  describe(`the provider contract, kept by ${name}`, function contract() {
    this.timeout(CASE_MS)
    let current: ContractWorld | null = null
    const world = (): ContractWorld => {
      if (current === null) throw new Error('a case asked for its world before it was set up')
      return current
    }
    beforeEach(async () => {
      current = await setUp()
    })
    afterEach(async () => {
      const last = current
      current = null
      await last?.tearDown()
    })
    describeLifeCycle(world)
    describeLeftovers(world)
    describeFailures(world)
    describeShortage(world)
  })
}
