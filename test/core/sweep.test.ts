import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import {
  type BelievedNode,
  decideActions,
  type Finding,
  findingKey,
  findingsOf,
  type KnownAllocation,
  type Permission,
  type Remembered,
  type SweepSituation,
} from '../../broker/core/sweep.ts'
import type { OtherNode, ProviderNode } from '../../shared/provider.ts'

const US = 'ins_aaaaaaaaaaaaaaaa'
const THEM = 'ins_bbbbbbbbbbbbbbbb'
const NOW = Date.parse('2027-01-04T10:00:00Z')
const DELAY_MS = 2_000

const allocationId = (letter: string): string => `alc_${letter.repeat(16)}`
const groupOf = (letter: string): string => `gb${letter.repeat(16)}-000`

/** The n-th node of the allocation of this letter; `null` for no tag at all. */
function aNode(letter: string | null, n: number, facts: Partial<ProviderNode> & { installationId?: string } = {}) {
  const { installationId = US, ...rest } = facts
  const node: ProviderNode = {
    providerInstanceId: `id-${letter ?? 'foreign'}-${n}`,
    name: letter === null ? `somebody-${n}` : `${groupOf(letter)}-${n}`,
    owner: letter === null ? null : { installationId, allocationId: allocationId(letter), group: groupOf(letter) },
    clusterId: 'alpha',
    state: 'ready',
    inFabric: true,
    address: null,
    createdAt: NOW - 60_000,
    failure: null,
    ...rest,
  }
  return node
}

const aBelieved = (letter: string, n: number, facts: Partial<BelievedNode> = {}): BelievedNode => ({
  allocationId: allocationId(letter),
  name: `${groupOf(letter)}-${n}`,
  providerInstanceId: `id-${letter}-${n}`,
  ready: true,
  ...facts,
})

const known = (intents: Readonly<Record<string, KnownAllocation['intent']>>): SweepSituation['allocations'] =>
  new Map(Object.entries(intents).map(([letter, intent]) => [allocationId(letter), { intent, clusterId: 'alpha' }]))

const found = (situation: Partial<SweepSituation>): string[] =>
  findingsOf({ installationId: US, listed: [], others: [], allocations: new Map(), believed: [], ...situation }).map(
    findingKey,
  )

const permission = (facts: Partial<Permission> = {}): Permission => ({
  now: NOW,
  visibilityDelayMs: DELAY_MS,
  frozen: false,
  deletesHeld: false,
  asked: new Set(),
  maxDeletesPerHour: 8,
  ...facts,
})

describe('what a sweep finds', () => {
  it('is nothing where the list is as the store believes', () => {
    const listed = [aNode('a', 1), aNode('a', 2)]
    const believed = [aBelieved('a', 1), aBelieved('a', 2, { providerInstanceId: null, ready: false })]
    expect(found({ listed, believed, allocations: known({ a: 'hold' }) })).to.deep.equal([])
  })

  it('is an orphan where the allocation has ended, or has no such node', () => {
    const listed = [aNode('a', 1), aNode('b', 1), aNode('b', 9)]
    const allocations = known({ a: 'none', b: 'hold' })
    expect(found({ listed, allocations, believed: [aBelieved('b', 1)] })).to.deep.equal([
      'orphan id-a-1',
      'orphan id-b-9',
    ])
  })

  it('leaves to the looks what they are giving back', () => {
    expect(found({ listed: [aNode('a', 1)], allocations: known({ a: 'leave' }) })).to.deep.equal([])
  })

  it('knows a node by its id, whatever it is called at the operator now', () => {
    const listed = [aNode('a', 1, { name: 'renamed-by-hand' })]
    expect(found({ listed, allocations: known({ a: 'hold' }), believed: [aBelieved('a', 1)] })).to.deep.equal([])
  })

  it('takes no node for wanted because another allocation wants one of that name', () => {
    const listed = [aNode('a', 1, { name: `${groupOf('b')}-1` })]
    const allocations = known({ a: 'hold', b: 'hold' })
    const believed = [aBelieved('b', 1, { providerInstanceId: null, ready: false })]
    expect(found({ listed, allocations, believed })).to.deep.equal(['orphan id-a-1'])
  })

  it('is missing where a node that stood is not listed, by id or by name', () => {
    const believed = [aBelieved('a', 1), aBelieved('a', 2), aBelieved('a', 3, { ready: false })]
    const listed = [aNode('a', 2, { providerInstanceId: 'id-other' })]
    expect(found({ listed, believed, allocations: known({ a: 'hold' }) })).to.deep.equal(['missing id-a-1'])
  })

  it('is unknown where the tag is ours and the store has no such allocation', () => {
    expect(found({ listed: [aNode('a', 1)] })).to.deep.equal(['unknown id-a-1'])
  })

  it('is a leftover where somebody else’s node stands in a cluster of ours, and nothing where it stands elsewhere', () => {
    const listed = [aNode(null, 1), aNode('a', 2, { installationId: THEM }), aNode(null, 3, { clusterId: null })]
    expect(found({ listed, allocations: known({ a: 'none' }) })).to.deep.equal([
      'leftover id-a-2',
      'leftover id-foreign-1',
    ])
  })
})

const anOther = (providerInstanceId: string): OtherNode => ({
  providerInstanceId,
  name: 'somebody',
  clusterId: 'alpha',
  createdAt: null,
})

describe('what others made', () => {
  it('is a leftover, each node once, but for nodes of ours that were taken over or have lost their tag', () => {
    const others = [anOther('id-x'), anOther('id-x'), anOther('id-a-1'), anOther('id-a-2')]
    const believed = [aBelieved('a', 1), aBelieved('a', 2)]
    const listed = [aNode('a', 1)]
    expect(found({ others, listed, believed, allocations: known({ a: 'hold' }) })).to.deep.equal([
      'missing id-a-2',
      'leftover id-x',
    ])
  })

  it('is counted as drained until a person says that it is in nobody’s way, and never deleted (invariant 10)', () => {
    const others = findingsOf({
      installationId: US,
      listed: [],
      others: [anOther('id-x')],
      allocations: new Map(),
      believed: [],
    })
    const long = NOW - 3_600_000
    const decided = (approved: boolean) =>
      decideActions(others, new Map([['leftover id-x', { since: long, approved }]]), permission()).map(
        ({ action, since }) => [action, since],
      )
    expect(decided(false)).to.deep.equal([['drain', long]])
    expect(decided(true)).to.deep.equal([['ignore', long]])
  })
})

describe('what a sweep does', () => {
  const orphans = (count: number) =>
    findingsOf({
      installationId: US,
      listed: Array.from({ length: count }, (_, n) => aNode('a', n)),
      others: [],
      allocations: known({ a: 'none' }),
      believed: [],
    })
  const seenAt = (count: number, since: number, approved = false): ReadonlyMap<string, Remembered> =>
    new Map(orphans(count).map((one) => [findingKey(one), { since, approved }]))
  const actions = (findings: readonly Finding[]): string[] => findings.map(({ action }) => action)

  it('is to watch at the first look, and for as long as a list may lag', () => {
    expect(actions(decideActions(orphans(1), new Map(), permission()))).to.deep.equal(['watch'])
    const soon = decideActions(orphans(1), seenAt(1, NOW - DELAY_MS + 1), permission())
    expect(actions(soon)).to.deep.equal(['watch'])
    const later = decideActions(orphans(1), seenAt(1, NOW - DELAY_MS), permission())
    expect([actions(later), later[0]?.since]).to.deep.equal([['delete'], NOW - DELAY_MS])
  })

  it('waits for the second look also where lists never lag', () => {
    expect(actions(decideActions(orphans(1), new Map(), permission({ visibilityDelayMs: 0 })))).to.deep.equal(['watch'])
  })

  it('deletes no more in an hour than is allowed, and counts a node that it asks for again only once', () => {
    const before = seenAt(4, 0)
    const asked = new Set(['id-a-3', 'id-gone'])
    const findings = decideActions(orphans(4), before, permission({ asked, maxDeletesPerHour: 3 }))
    expect(actions(findings)).to.deep.equal(['delete', 'hold', 'hold', 'delete'])
  })

  it('deletes beyond that what a person has approved', () => {
    const findings = decideActions(orphans(3), seenAt(3, 0, true), permission({ maxDeletesPerHour: 0 }))
    expect(actions(findings)).to.deep.equal(['delete', 'delete', 'delete'])
  })

  it('deletes nothing at a frozen provider, whoever has approved it', () => {
    for (const approved of [false, true]) {
      const findings = decideActions(orphans(2), seenAt(2, 0, approved), permission({ frozen: true }))
      expect(actions(findings)).to.deep.equal(['hold', 'hold'])
    }
  })

  it('deletes nothing after a restore but what a person has approved', () => {
    const held = permission({ deletesHeld: true })
    expect(actions(decideActions(orphans(1), seenAt(1, 0), held))).to.deep.equal(['hold'])
    expect(actions(decideActions(orphans(1), seenAt(1, 0, true), held))).to.deep.equal(['delete'])
  })
})

const LETTERS = ['a', 'b', 'c'] as const
const anyNode = fc
  .record({
    letter: fc.option(fc.constantFrom(...LETTERS), { freq: 6 }),
    n: fc.integer({ min: 1, max: 4 }),
    installationId: fc.constantFrom(US, US, US, THEM),
    renamed: fc.boolean(),
    clusterId: fc.constantFrom('alpha', null),
    state: fc.constantFrom('building', 'ready', 'failed', 'deleting'),
  })
  .map(({ letter, n, renamed, ...facts }) => aNode(letter, n, { ...facts, ...(renamed && { name: 'renamed' }) }))
const anyBelieved = fc
  .record({
    letter: fc.constantFrom(...LETTERS),
    n: fc.integer({ min: 1, max: 4 }),
    bound: fc.boolean(),
    ready: fc.boolean(),
  })
  .map(({ letter, n, bound, ready }) => aBelieved(letter, n, { ready, ...(!bound && { providerInstanceId: null }) }))
const anyIntents = fc.dictionary(fc.constantFrom(...LETTERS), fc.constantFrom('hold', 'leave', 'none'))
const anyPermission = fc.record({
  now: fc.constant(NOW),
  visibilityDelayMs: fc.constantFrom(0, DELAY_MS),
  frozen: fc.boolean(),
  deletesHeld: fc.boolean(),
  asked: fc.uniqueArray(fc.constantFrom('id-a-1', 'id-b-2', 'id-gone')).map((ids) => new Set(ids)),
  maxDeletesPerHour: fc.integer({ min: 0, max: 5 }),
})
const anyMemory = fc.array(
  fc.record({ since: fc.integer({ min: NOW - 2 * DELAY_MS, max: NOW }), approved: fc.boolean(), known: fc.boolean() }),
  { minLength: 12, maxLength: 12 },
)

describe('a sweep of whatever list', () => {
  it('deletes only what is provably ours and unwanted, seen twice, or approved; and no more than is allowed (invariant 10)', () => {
    fc.assert(
      fc.property(
        fc.array(anyNode, { maxLength: 12 }),
        fc.array(anyBelieved, { maxLength: 8 }),
        anyIntents,
        anyMemory,
        anyPermission,
        fc.array(fc.constantFrom('id-x', 'id-y', 'id-a-1', 'id-b-2').map(anOther), { maxLength: 4 }),
        (listed, believedByAnyone, intents, memory, allowed, others) => {
          const allocations = known(intents)
          const believed = believedByAnyone.filter((node) => allocations.get(node.allocationId)?.intent === 'hold')
          const all = findingsOf({ installationId: US, listed, others, allocations, believed })
          const before = new Map(
            all.flatMap((one, at) => {
              const remembered = memory[at]
              return remembered?.known === true ? [[findingKey(one), remembered] as const] : []
            }),
          )
          const findings = decideActions(all, before, allowed)
          const deleted = findings.filter(({ action }) => action === 'delete')
          for (const finding of deleted) {
            // The last of one id is what the list is read as.
            const node = listed.findLast((one) => one.providerInstanceId === finding.providerInstanceId)
            expect(node?.owner?.installationId).to.equal(US)
            expect(allowed.frozen).to.equal(false)
            const earlier = before.get(findingKey(finding))
            if (earlier?.approved === true) continue
            expect(allowed.deletesHeld).to.equal(false)
            expect(allocations.has(node?.owner?.allocationId ?? '')).to.equal(true)
            expect(allocations.get(node?.owner?.allocationId ?? '')?.intent).to.not.equal('leave')
            const wants = believed.some(
              (one) =>
                one.allocationId === node?.owner?.allocationId &&
                (one.name === node.name || one.providerInstanceId === node.providerInstanceId),
            )
            expect(wants).to.equal(false)
            expect(NOW - (earlier?.since ?? NOW + 1)).to.be.at.least(allowed.visibilityDelayMs)
          }
          const unapproved = deleted.filter(({ approved }) => !approved).map((one) => one.providerInstanceId)
          const counted = new Set([...allowed.asked, ...unapproved])
          expect(counted.size).to.be.at.most(Math.max(allowed.asked.size, allowed.maxDeletesPerHour))
        },
      ),
      { numRuns: 2_000 },
    )
  })
})
