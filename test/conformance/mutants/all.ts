/** Adapters that are broken on purpose, each in one way, and the cases that must notice: these and no others. */
import type { Mutant } from './breaking.ts'
import { BESIDE } from './beside.ts'
import { DELETIONS } from './deletions.ts'
import { ERRORS } from './errors.ts'
import { LISTS } from './lists.ts'
import { MAKING } from './making.ts'
import { OTHERS } from './others.ts'
import { PROMISES } from './promises.ts'

export const MUTANTS: readonly Mutant[] = [
  ...PROMISES,
  ...MAKING,
  ...LISTS,
  ...OTHERS,
  ...DELETIONS,
  ...ERRORS,
  ...BESIDE,
]
