/** All cases, in the order in which a run goes through them: what an adapter says, what it does, and what befalls it. */
import type { ContractCase } from '../contract-case.ts'
import { ACCESS } from './access.ts'
import { CREATION } from './creation.ts'
import { DECLARATIONS } from './declarations.ts'
import { DELETION } from './deletion.ts'
import { FABRIC } from './fabric.ts'
import { LEFTOVERS } from './leftovers.ts'
import { LISTING } from './listing.ts'
import { LOST_ANSWERS } from './lost-answers.ts'
import { OTHERS } from './others.ts'
import { PATIENCE } from './patience.ts'
import { REPETITION } from './repetition.ts'
import { SHORTAGE } from './shortage.ts'
import { WRONG_ANSWERS } from './wrong-answers.ts'

export const CASES: readonly ContractCase[] = [
  ...DECLARATIONS,
  ...CREATION,
  ...REPETITION,
  ...LISTING,
  ...DELETION,
  ...LOST_ANSWERS,
  ...WRONG_ANSWERS,
  ...PATIENCE,
  ...ACCESS,
  ...SHORTAGE,
  ...OTHERS,
  ...LEFTOVERS,
  ...FABRIC,
]
