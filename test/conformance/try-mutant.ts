/** Tries a broken adapter with all cases at once, each against an operator of its own: they mostly wait. */
import { CASES } from '../../broker/conformance/cases/all.ts'
import { type CaseResult, runCase } from '../../broker/conformance/run.ts'
import { type Breakage, memoryTarget } from './memory-target.ts'
import { inVirtualTime } from './virtual-time.ts'

export const tryMutant = (breakage: Breakage): Promise<readonly CaseResult[]> =>
  inVirtualTime(() => Promise.all(CASES.map((one) => runCase(one, memoryTarget(breakage)))))

export const failedIn = (results: readonly CaseResult[]): string[] =>
  results
    .filter(({ outcome }) => outcome === 'failed')
    .map(({ id }) => id)
    .toSorted()
