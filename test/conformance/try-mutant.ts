/** Tries a broken adapter with all cases at once, each against an operator of its own: they mostly wait. */
import { CASES } from '../../broker/conformance/cases/all.ts'
import { type CaseResult, runCase } from '../../broker/conformance/run.ts'
import { type Breakage, memoryTarget } from './memory-target.ts'

/** More at once would make each other late. */
const AT_ONCE = 25

export async function tryMutant(breakage: Breakage): Promise<readonly CaseResult[]> {
  const waiting = CASES.values()
  const results: CaseResult[] = []
  const work = async (): Promise<void> => {
    for (const one of waiting) results.push(await runCase(one, memoryTarget(breakage)))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return results
}

export const failedIn = (results: readonly CaseResult[]): string[] =>
  results
    .filter(({ outcome }) => outcome === 'failed')
    .map(({ id }) => id)
    .toSorted()
