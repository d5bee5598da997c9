/** A placement policy from a file: the broker's own, with what the file says otherwise. */
import { DEFAULT_POLICY, type Policy } from '../core/placement/policy.ts'

/** The file is no policy; the sentence says which member and what it should be. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError'
}

/**
 * @param value what the file says, as JSON: any member of `Policy`, those left out stay as they are
 * @throws PolicyError for members that a policy has not, and numbers that are none
 */
export function policyFrom(value: unknown): Policy {
  const file = membersOf('the policy', value, Object.keys(DEFAULT_POLICY))
  const { version, weights, promiseSlack, replanPasses, search } = { ...DEFAULT_POLICY, ...file }
  if (typeof version !== 'string' || version === '') throw new PolicyError('version: must be a name')
  return {
    version,
    weights: numbersOf('weights', weights, DEFAULT_POLICY.weights),
    promiseSlack: positive(numbersOf('promiseSlack', promiseSlack, DEFAULT_POLICY.promiseSlack)),
    replanPasses: passesFrom(replanPasses),
    search: searchFrom(search),
  }
}

function membersOf(name: string, value: unknown, known: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new PolicyError(`${name}: must be an object`)
  const members: Readonly<Record<string, unknown>> = { ...value }
  const stranger = Object.keys(members).find((member) => !known.includes(member))
  if (stranger !== undefined) throw new PolicyError(`${name}: has no ${stranger}; it may have ${known.join(', ')}`)
  return members
}

function numbersOf<T extends object>(name: string, value: unknown, standard: T): T {
  const members = membersOf(name, value, Object.keys(standard))
  for (const [member, number] of Object.entries(members))
    if (typeof number !== 'number' || !Number.isFinite(number) || number < 0)
      throw new PolicyError(`${name}.${member}: must be a number, 0 or more`)
  return { ...standard, ...members }
}

function positive(slack: Policy['promiseSlack']): Policy['promiseSlack'] {
  if (slack.waitDivisor === 0) throw new PolicyError('promiseSlack.waitDivisor: must be above 0')
  return slack
}

const MOST_PASSES = 100

function passesFrom(value: unknown): number {
  if (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MOST_PASSES) return Number(value)
  throw new PolicyError(`replanPasses: must be a whole number from 1 to ${MOST_PASSES}`)
}

/** Null: the plain plan. */
function searchFrom(value: unknown): Policy['search'] {
  const standard = DEFAULT_POLICY.search
  if (value === null || standard === null) return null
  const search = numbersOf('search', value, standard)
  if (search.crowd === 0) throw new PolicyError('search.crowd: must be above 0')
  if (search.bigAgeHours === 0) throw new PolicyError('search.bigAgeHours: must be above 0')
  return search
}
