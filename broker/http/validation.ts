/**
 * What zod found wrong → `errors: [{pointer, detail}]`. Every detail completes a sentence that begins with the member:
 * "must be …", "is required: …". A union is reported as the branch that the caller most likely meant.
 */
import type { z } from 'zod'
import { type FieldError, type Refusal, invalidRequest } from '../../shared/refusal.ts'

type Issue = z.core.$ZodIssue
type Path = readonly PropertyKey[]

/** More than a caller mends at once; keeps the answer to a hostile body small. */
const MAX_ERRORS = 32

/** `/demand/nodes`, as RFC 6901 escapes it. */
export const jsonPointer = (path: Path): string =>
  path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

/** @throws Refusal `invalid-request` with one error per fault */
export function parseWith<T extends z.ZodType>(schema: T, input: unknown): z.infer<T> {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  throw invalid(result.error.issues, input)
}

function invalid(issues: readonly Issue[], input: unknown): Refusal {
  const errors = withoutConsequences(issues, []).flatMap((issue) => faultsOf(issue, [], input))
  return invalidRequest(
    errors.slice(0, MAX_ERRORS).map(({ path, detail }): FieldError => ({ pointer: jsonPointer(path), detail })),
  )
}

/**
 * A comparison of two members (`end` with `start`) says nothing while the other one is itself at fault. Comparisons are
 * made inside members; what is said of a member of the request as a whole, such as `demand`, stands on its own.
 */
function withoutConsequences(issues: readonly Issue[], parent: Path): readonly Issue[] {
  const isSibling = (issue: Issue, other: Issue): boolean =>
    other.path.length === issue.path.length && issue.path.slice(0, -1).every((step, at) => other.path[at] === step)
  return issues.filter((issue) => {
    if (issue.code !== 'custom' || parent.length + issue.path.length < 2) return true
    return !issues.some((other) => other.code !== 'custom' && isSibling(issue, other))
  })
}

interface Fault {
  readonly path: Path
  readonly detail: string
}

function faultsOf(issue: Issue, parent: Path, input: unknown): Fault[] {
  const path = [...parent, ...issue.path]
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], detail: 'is not a member that is known here' }))
  }
  if (issue.code === 'invalid_union') {
    const branch = bestBranch(issue.errors)
    if (branch !== undefined) return withoutConsequences(branch, path).flatMap((inner) => faultsOf(inner, path, input))
  }
  if (issue.code === 'invalid_key') {
    const inner = issue.issues[0]
    return [{ path, detail: `its name ${inner === undefined ? 'is not allowed' : expectation(inner)}` }]
  }
  const expected = expectation(issue)
  return [{ path, detail: isMissing(path, input) ? `is required: ${expected}` : expected }]
}

/** The branch with the least wrong: a member that a branch does not know says most about what was not meant. */
function bestBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  let best: readonly Issue[] | undefined
  for (const branch of branches) if (best === undefined || distance(branch) < distance(best)) best = branch
  return best
}

function distance(branch: readonly Issue[]): number {
  let sum = 0
  for (const issue of branch) {
    if (issue.code === 'unrecognized_keys') sum += 10 * issue.keys.length
    else if (issue.code === 'invalid_type' && issue.path.length === 0) sum += 100
    else sum += issue.code === 'invalid_type' ? 2 : 1
  }
  return sum
}

function isMissing(path: Path, input: unknown): boolean {
  let value = input
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return false
    value = (value as Readonly<Record<PropertyKey, unknown>>)[step] // arrays and objects are read alike
  }
  return value === undefined
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
  null: 'null',
}

const quoted = (values: readonly unknown[]): string => values.map((value) => JSON.stringify(value) ?? 'null').join(', ')

function expectation(issue: Issue): string {
  // Our schemas' own messages are written in this file's manner; zod's start in another way.
  if (/^(must|is|has) /.test(issue.message)) return issue.message
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${TYPE_NAMES[issue.expected] ?? `of type ${issue.expected}`}`
    case 'invalid_value':
      return issue.values.length === 1 ? `must be ${quoted(issue.values)}` : `must be one of ${quoted(issue.values)}`
    case 'too_small':
      return `must ${sizeOf(issue.origin)} ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${unitOf(issue.origin)}`
    case 'too_big':
      return `must ${sizeOf(issue.origin)} ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${unitOf(issue.origin)}`
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`
    case 'invalid_format':
      return `must have the format ${issue.format}`
    default:
      return 'has a value that is not allowed here'
  }
}

const COUNTED: Readonly<Record<string, string>> = { string: ' characters', array: ' items', set: ' items' }
const sizeOf = (origin: string): string => (origin in COUNTED ? 'have' : 'be')
const unitOf = (origin: string): string => COUNTED[origin] ?? ''
