import { expect } from 'chai'
import { describe, it } from 'mocha'
import { openApiDocument } from '../../broker/http/openapi.ts'
import { breakingChanges, type Json, mayBreak } from '../../broker/http/openapi-changes.ts'

type Open = Record<string, any> // oxlint-disable-line typescript/no-explicit-any -- a document that tests change

const TEXT = JSON.stringify(openApiDocument())
const document = (): Open => JSON.parse(TEXT) as Open
const create = (of: Open): Open => of['paths']['/v1/allocations'].post
const list = (of: Open): Open => of['paths']['/v1/allocations'].get
const schema = (of: Open, name: string): Open => of['components'].schemas[name]

const afterwards = (change: (of: Open) => void): string[] => {
  const changed = document()
  change(changed)
  return breakingChanges(document(), changed)
}

describe('a change of the OpenAPI document', () => {
  const breaking: readonly [string, (of: Open) => void, RegExp][] = [
    ['an operation that is gone', (of) => delete of['paths']['/v1/waitlist'], /^GET \/v1\/waitlist is gone$/],
    ['an operation of another name', (of) => (create(of)['operationId'] = 'make'), /createAllocation is now make$/],
    ['another scope', (of) => (create(of)['security'] = [{ oauth2: ['x'] }]), /another scope$/],
    ['a parameter that is gone', (of) => list(of)['parameters'].shift(), /parameter \S+ is gone$/],
    [
      'a new parameter that is required',
      (of) => list(of)['parameters'].push({ in: 'query', name: 'zone', required: true, schema: {} }),
      /query parameter zone is new, and required$/,
    ],
    [
      'a member that is newly required',
      (of) => schema(of, 'AllocationRequest')['required'].push('labels'),
      /request\/labels is newly required$/,
    ],
    [
      'a member of a request that is gone',
      (of) => delete schema(of, 'AllocationRequest')['properties'].labels,
      /request\/labels is gone$/,
    ],
    [
      'a member of an answer that is gone',
      (of) => delete schema(of, 'Allocation')['properties'].program,
      /201\/program is gone$/,
    ],
    [
      'a member of an answer that is not always there',
      (of) => (schema(of, 'Allocation')['required'] = ['id']),
      /201\/program is not always there any more$/,
    ],
    [
      'fewer values',
      (of) => schema(of, 'AllocationRequest')['properties'].ifUnavailable.enum.pop(),
      /request\/ifUnavailable takes no more \w+$/,
    ],
    [
      'a smaller bound',
      (of) => (schema(of, 'Demand')['properties'].nodes.maximum = 10),
      /nodes has another maximum: 10$/,
    ],
    ['another pattern', (of) => (schema(of, 'Demand')['properties'].nodes.pattern = 'x'), /nodes has another pattern/],
    [
      'another type',
      (of) => (schema(of, 'Demand')['properties'].nodes.type = 'string'),
      /nodes is string, no more integer$/,
    ],
    ['another success', (of) => delete create(of)['responses']['201'], /answers 201 no more$/],
    [
      'an answer of another media type',
      (of) => (create(of)['responses']['201'].content = { 'text/plain': {} }),
      /201 as application\/json is gone$/,
    ],
    [
      'a member of an answer that may be null now',
      (of) => (schema(of, 'Allocation')['properties'].program = { anyOf: [{ type: 'string' }, { type: 'null' }] }),
      /201\/program has a form that it had not$/,
    ],
  ]
  for (const [rule, change, sentence] of breaking) {
    it(`breaks with ${rule}`, () => {
      const found = afterwards(change)
      expect(
        found.some((one) => sentence.test(one)),
        found.join('\n'),
      ).to.equal(true)
    })
  }

  const harmless: readonly [string, (of: Open) => void][] = [
    ['nothing', () => undefined],
    ['words', (of) => (create(of)['summary'] = 'Ask for nodes')],
    ['a new operation', (of) => (of['paths']['/v1/new'] = { get: {} })],
    [
      'a new parameter that may be left out',
      (of) => list(of)['parameters'].push({ in: 'query', name: 'zone', schema: {} }),
    ],
    ['a new member that may be left out', (of) => (schema(of, 'AllocationRequest')['properties'].zone = {})],
    [
      'a new member of an answer',
      (of) => {
        schema(of, 'Allocation')['properties'].zone = {}
        schema(of, 'Allocation')['required'].push('zone')
      },
    ],
    ['more values', (of) => schema(of, 'AllocationRequest')['properties'].ifUnavailable.enum.push('wait')],
    ['a larger bound', (of) => (schema(of, 'Demand')['properties'].nodes.maximum = 1_000_000)],
    ['another problem', (of) => (create(of)['responses']['418'] = {})],
  ]
  for (const [rule, change] of harmless) {
    it(`breaks nothing with ${rule}`, () => expect(afterwards(change)).to.deep.equal([]))
  }

  it('that breaks is refused from the second release on, unless the API’s major version is raised', () => {
    const of = (version: string): Json => ({ info: { version } })
    const same = { before: of('1.4.0'), after: of('1.5.0') }
    expect(['0.0.9', '0.1.0'].map((release) => mayBreak(release, same))).to.deep.equal([true, true])
    expect(['0.1.1', '0.2.0', '0.10.0', '1.0.0'].some((release) => mayBreak(release, same))).to.equal(false)
    expect(mayBreak('1.0.0', { before: of('9.1.0'), after: of('10.0.0') })).to.equal(true)
  })
})
