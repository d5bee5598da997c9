import { expect } from 'chai'
import { describe, it } from 'mocha'
import { z } from 'zod'
import * as examples from '../../broker/http/examples.ts'
import { parseWith } from '../../broker/http/validation.ts'
import { AllocationRequest } from '../../shared/allocation.ts'
import { ApprovalRequest } from '../../shared/approval.ts'
import { Refusal } from '../../shared/refusal.ts'

function errorsOf(schema: z.ZodType, input: unknown): unknown {
  try {
    parseWith(schema, input)
  } catch (error) {
    if (error instanceof Refusal) return error.members['errors']
    throw error
  }
  return []
}

const request = (changes: object) => ({ ...examples.allocationRequest, ...changes })

describe('faults of a body', () => {
  const cases: readonly [string, object, string, RegExp][] = [
    ['a member that is missing', request({ name: undefined }), '/name', /^is required: must be a text$/],
    ['a union that is missing', request({ period: undefined }), '/period', /^is required: must be an object$/],
    [
      'a list that is missing',
      { ...examples.approvalRequest, limits: { ...examples.approvalRequest.limits, architectures: undefined } },
      '/limits/architectures',
      /^is required: must be a list$/,
    ],
    [
      'a choice that is missing',
      { ...examples.approvalRequest, priority: undefined },
      '/priority',
      /^is required: must be one of "national", "standard", "idle"$/,
    ],
    [
      'a member of another type',
      request({ demand: { nodes: '64' } }),
      '/demand/nodes',
      /^must be a(?: whole)? number$/,
    ],
    ['a fraction of a node', request({ demand: { nodes: 1.5 } }), '/demand/nodes', /^must be a whole number$/],
    ['too few', request({ demand: { nodes: 0 } }), '/demand/nodes', /^must be at least 1$/],
    ['too many', request({ demand: { nodes: 100_001 } }), '/demand/nodes', /^must be at most 100000$/],
    [
      'nothing where more than nothing is needed',
      request({ demand: { fp8H200Equivalent: 0 } }),
      '/demand/fp8H200Equivalent',
      /^must be more than 0$/,
    ],
    ['two demands at once', request({ demand: { nodes: 1, gpus: 8 } }), '/demand', /^must have exactly one of/],
    ['a text that is too long', request({ name: 'x'.repeat(129) }), '/name', /^must have at most 128 characters$/],
    ['an empty list', request({ requires: { providers: [] } }), '/requires/providers', /^must have at least 1 items$/],
    [
      'an item of a list',
      request({ requires: { cooling: ['air', 'water'] } }),
      '/requires/cooling/1',
      /^must be one of "liquid"/,
    ],
    ['a name of a label', request({ labels: { 'a b/~': 'x' } }), '/labels/a b~1~0', /^its name must be 1 to 64/],
    [
      'a period that ends before it starts',
      request({ period: { start: '2027-01-02T00:00:00Z', end: '2027-01-01T00:00:00Z' } }),
      '/period/end',
      /^must be after start$/,
    ],
    [
      'a fixed period without an end',
      request({ period: { start: '2027-01-02T00:00:00Z' } }),
      '/period/end',
      /^is required: must be/,
    ],
    [
      'a fixed period with a bad time',
      request({ period: { start: 'soon', end: '2027-01-01T00:00:00Z' } }),
      '/period/start',
      /^must be an RFC 3339 time/,
    ],
    [
      'a flexible period with a bad length',
      request({ period: { durationHours: 'long' } }),
      '/period/durationHours',
      /^must be a number$/,
    ],
    [
      'a flexible period without its length',
      request({ period: { latestStart: '2027-01-01T00:00:00Z' } }),
      '/period/durationHours',
      /^is required: must be a number$/,
    ],
    [
      'a period of both kinds',
      request({ period: { start: '2027-01-01T00:00:00Z', end: '2027-01-02T00:00:00Z', durationHours: 5 } }),
      '/period/durationHours',
      /^is not a member/,
    ],
    ['a period that is no object', request({ period: 'always' }), '/period', /^must be an object$/],
    [
      'a time in local terms',
      request({ period: { start: '2027-01-01T00:00:00', end: '2027-01-02T00:00:00Z' } }),
      '/period/start',
      /^must be an RFC 3339 time/,
    ],
  ]
  for (const [fault, input, pointer, detail] of cases) {
    it(`point at ${fault}`, () => {
      const schema = 'limits' in input ? ApprovalRequest : AllocationRequest
      const errors = errorsOf(schema, input) as { pointer: string; detail: string }[]
      expect(errors).to.have.length(1)
      expect(errors[0]?.pointer).to.equal(pointer)
      expect(errors[0]?.detail).to.match(detail)
    })
  }

  it('name every unknown member on its own', () => {
    expect(errorsOf(AllocationRequest, request({ 'a/b': 1, 'c~d': 2 }))).to.deep.equal([
      { pointer: '/a~1b', detail: 'is not a member that is known here' },
      { pointer: '/c~0d', detail: 'is not a member that is known here' },
    ])
  })

  it('are all named, a demand without any figure among them', () => {
    const errors = errorsOf(AllocationRequest, { demand: {}, period: { start: 'x' } }) as { pointer: string }[]
    expect(errors.map((error) => error.pointer)).to.have.members([
      '/approvalId',
      '/name',
      '/demand',
      '/period/start',
      '/period/end',
    ])
  })

  it('are at most 32, however many there are', () => {
    const members = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`m${n}`, n]))
    expect(errorsOf(AllocationRequest, request(members))).to.have.length(32)
  })

  it('of a query are named by the member', () => {
    expect(errorsOf(z.strictObject({}), { limit: '1' })).to.deep.equal([
      { pointer: '/limit', detail: 'is not a member that is known here' },
    ])
  })

  it('are none in the examples of the contract', () => {
    expect(errorsOf(AllocationRequest, examples.allocationRequest)).to.deep.equal([])
    expect(
      errorsOf(AllocationRequest, request({ period: { durationHours: 720 }, demand: { gpus: 12 } })),
    ).to.deep.equal([])
  })
})
