import { expect } from 'chai'
import { describe, it } from 'mocha'
import {
  type AskedGroup,
  type Plan,
  reconcile,
  type Situation,
  type Step,
  takesForGone,
} from '../../broker/core/reconcile.ts'
import { MINUTE_MS } from '../../shared/time.ts'
import {
  aBound,
  aFound,
  aGroup,
  aSituation,
  aWanted,
  CREATE,
  FAULT,
  GROUP,
  member,
  NO_ROOM,
  noted,
  NOW,
  VISIBILITY_DELAY_MS,
} from './reconcile-situations.ts'

const stepsOf = (facts: Partial<Situation>): readonly Step[] => reconcile(aSituation(facts)).steps
const justNow = NOW - VISIBILITY_DELAY_MS + 1
const longAgo = NOW - VISIBILITY_DELAY_MS

describe('asking for nodes (invariant 2)', () => {
  const asked: readonly {
    readonly rule: string
    readonly group: Partial<AskedGroup>
    readonly steps: readonly Step[]
  }[] = [
    { rule: 'asks for a group that was never asked for', group: { askedAt: null, effect: 'unasked' }, steps: [CREATE] },
    { rule: 'waits after a lost answer', group: { askedAt: justNow, effect: 'maybe' }, steps: [] },
    {
      rule: 'asks again, under the same name, when lists show none of it for the visibility delay',
      group: { askedAt: longAgo, effect: 'maybe' },
      steps: [CREATE],
    },
    { rule: 'waits after an acceptance too', group: { askedAt: justNow, effect: 'accepted' }, steps: [] },
    {
      rule: 'asks again for what was accepted and never came',
      group: { askedAt: longAgo, effect: 'accepted' },
      steps: [CREATE],
    },
    {
      rule: 'asks again at once where surely nothing was done',
      group: { askedAt: NOW, effect: 'none' },
      steps: [CREATE],
    },
    {
      rule: 'waits as long as the provider or our own pause says',
      group: { askedAt: longAgo, effect: 'none', notBefore: NOW + 1 },
      steps: [],
    },
    {
      rule: 'believes no list while an asker has not come back',
      group: { askedAt: longAgo, effect: 'asked' },
      steps: [],
    },
  ]
  for (const { rule, group, steps } of asked) {
    it(rule, () => {
      expect(stepsOf({ groups: [aGroup(group)] })).to.deep.equal(steps)
    })
  }

  it('names the groups whose asker is gone, so that their delay begins anew', () => {
    const plan = reconcile(aSituation({ groups: [aGroup({ effect: 'asked' })] }))
    expect(plan.unanswered).to.deep.equal([GROUP])
    expect(reconcile(aSituation({ groups: [aGroup({ effect: 'maybe' })] })).unanswered).to.deep.equal([])
  })

  it('gives what is missing of a group a new name when lists show a part of it', () => {
    expect(stepsOf({ found: [aFound(1)] })).to.deep.equal([{ step: 'rename', ordinals: [0, 2], failed: false }])
  })

  it('waits for the rest of a group that appears piece by piece', () => {
    expect(stepsOf({ found: [aFound(1)], groups: [aGroup({ askedAt: justNow })] })).to.deep.equal([])
  })

  it('never asks for a name again that it has seen', () => {
    const seen = [aBound(0, { status: 'building', since: justNow }), aWanted(1), aWanted(2)]
    expect(stepsOf({ wanted: seen })).to.deep.equal([{ step: 'rename', ordinals: [1, 2], failed: false }])
  })
})

describe('binding nodes to names', () => {
  it('notes what it found once, and with that stored has nothing to say', () => {
    const found = [aFound(0), aFound(1, { state: 'building', address: null }), aFound(2)]
    const first = reconcile(aSituation({ found }))
    expect(first.notes.map(({ ordinal, status }) => [ordinal, status])).to.deep.equal([
      [0, 'ready'],
      [1, 'building'],
      [2, 'ready'],
    ])
    const again = reconcile(aSituation({ found, wanted: noted(aSituation().wanted, first, NOW) }))
    expect(again).to.deep.include({ notes: [], steps: [], ready: false, counts: { ready: 2, failed: 0 } })
  })

  it('keeps the older of two nodes with one name, whichever is listed first', () => {
    const older = aFound(0, { providerInstanceId: 'older', createdAt: NOW - 40_000 })
    const younger = aFound(0, { providerInstanceId: 'younger', createdAt: NOW - 20_000 })
    for (const both of [
      [older, younger],
      [younger, older],
    ]) {
      const plan = reconcile(aSituation({ found: [...both, aFound(1), aFound(2)] }))
      expect(plan.steps).to.deep.equal([{ step: 'delete', providerInstanceIds: ['younger'] }])
      expect(plan.notes[0]?.providerInstanceId).to.equal('older')
    }
  })

  it('keeps one of two that were made in the same instant, the same one each time', () => {
    const twins = ['a', 'b'].map((providerInstanceId) => aFound(0, { providerInstanceId }))
    const found = [...twins, aFound(1), aFound(2)]
    expect(stepsOf({ found })).to.deep.equal([{ step: 'delete', providerInstanceIds: ['b'] }])
    expect(stepsOf({ found: found.toReversed() })).to.deep.equal([{ step: 'delete', providerInstanceIds: ['b'] }])
  })

  it('knows a node by its id once it has found it by its name, whatever it is called at the operator now', () => {
    const wanted = [aBound(0), aBound(1), aBound(2)]
    const found = [aFound(0), aFound(1, { name: 'named-by-somebody' }), aFound(2)]
    const plan = reconcile(aSituation({ wanted, found }))
    expect([plan.notes, plan.steps, plan.ready]).to.deep.equal([[], [], true])
  })

  it('says when it takes a node that it knows for gone, because the list does not show it', () => {
    const wanted = [aBound(0), aBound(1), aBound(2)]
    const found = [aFound(0), aFound(1)]
    const later = NOW + VISIBILITY_DELAY_MS
    const planFor = (facts: Partial<Situation>): Plan => reconcile(aSituation({ wanted, found, now: later, ...facts }))
    expect(takesForGone(planFor({}), found)).to.equal(true)
    expect(takesForGone(planFor({ intent: 'release', found: [] }), [])).to.equal(true)
    expect(
      takesForGone(planFor({ found: [...found, aFound(2, { state: 'failed', failure: FAULT })] }), [
        ...found,
        aFound(2),
      ]),
    ).to.equal(false)
    expect(takesForGone(planFor({ wanted: [aBound(0), aBound(1), aWanted(2)] }), found)).to.equal(false)
  })

  it('deletes nodes under names that nobody wants, and asks no node to go twice that is going', () => {
    const late = aFound(7, { providerInstanceId: 'late', name: member(1, 'gbaaaaaaaaaaaaaaaa-00z') })
    const going = aFound(8, { providerInstanceId: 'going', name: member(9), state: 'deleting' })
    expect(stepsOf({ found: [aFound(0), aFound(1), aFound(2), late, going] })).to.deep.equal([
      { step: 'delete', providerInstanceIds: ['late'] },
    ])
  })

  it('is ready once every wanted node is', () => {
    expect(reconcile(aSituation({ found: [aFound(0), aFound(1)] })).ready).to.equal(false)
    expect(reconcile(aSituation({ found: [aFound(0), aFound(1), aFound(2)] })).ready).to.equal(true)
  })
})

describe('replacing nodes', () => {
  const withOneFailed = (generation: number, facts: Partial<Situation> = {}): Situation =>
    aSituation({
      wanted: [aBound(0, { generation }), aBound(1), aBound(2)],
      found: [aFound(0, { state: 'failed', failure: FAULT }), aFound(1), aFound(2)],
      ...facts,
    })

  it('deletes a failed node and gives its ordinal a new generation', () => {
    const plan = reconcile(withOneFailed(1))
    expect(plan.steps).to.deep.equal([
      { step: 'delete', providerInstanceIds: ['id-0'] },
      { step: 'rename', ordinals: [0], failed: true },
    ])
    expect(plan.notes).to.have.length(1)
    expect(plan.notes[0]).to.deep.include({ ordinal: 0, status: 'failed', failure: FAULT })
  })

  it('calls a node lost that was there, once lists miss it for the visibility delay', () => {
    const wanted = (since: number) => [aBound(0, { since }), aBound(1), aBound(2)]
    const found = [aFound(1), aFound(2)]
    expect(reconcile(aSituation({ wanted: wanted(justNow), found }))).to.deep.include({ notes: [], steps: [] })
    expect(stepsOf({ wanted: wanted(longAgo), found })).to.deep.equal([{ step: 'rename', ordinals: [0], failed: true }])
  })

  it('counts the newest generation only: a late node of an older one is deleted', () => {
    const newer = aBound(0, { generation: 2, groupName: 'gbaaaaaaaaaaaaaaaa-001' })
    const found = [aFound(0, { name: newer.name }), aFound(1), aFound(2), aFound(0, { providerInstanceId: 'old' })]
    const wanted = [aBound(0, { status: 'failed' }), newer, aBound(1), aBound(2)]
    const plan = reconcile(
      aSituation({ wanted, found, groups: [aGroup(), aGroup({ name: newer.groupName, size: 1 })] }),
    )
    expect(plan.steps).to.deep.equal([{ step: 'delete', providerInstanceIds: ['old'] }])
    expect(plan.ready).to.equal(true)
  })

  it('gives up after the last generation, with the provider’s own words', () => {
    const { steps } = reconcile(withOneFailed(4))
    expect(steps).to.deep.include({ step: 'give-up', ordinal: 0, failure: FAULT })
    expect(steps.some(({ step }) => step === 'rename')).to.equal(false)
  })

  it('gives up at the first node for which there was no room', () => {
    const found = [aFound(0, { state: 'failed', failure: NO_ROOM }), aFound(1), aFound(2)]
    expect(reconcile(withOneFailed(1, { found })).steps).to.deep.include({
      step: 'give-up',
      ordinal: 0,
      failure: NO_ROOM,
    })
  })

  it('never gives up an allocation that stands: the node is tried again after a pause', () => {
    const first = reconcile(withOneFailed(4, { standing: true }))
    expect(first.steps).to.deep.equal([{ step: 'delete', providerInstanceIds: ['id-0'] }])
    expect(first.counts).to.deep.equal({ ready: 2, failed: 1 })
    const later = (ms: number) =>
      stepsOf({
        wanted: [aBound(0, { generation: 4, status: 'failed', since: NOW }), aBound(1), aBound(2)],
        found: [aFound(1), aFound(2)],
        standing: true,
        now: NOW + ms,
      })
    expect(later(15 * MINUTE_MS - 1)).to.deep.equal([])
    expect(later(15 * MINUTE_MS)).to.deep.equal([{ step: 'rename', ordinals: [0], failed: true }])
  })
})

describe('the interconnect group', () => {
  const apart = (ordinal: number) => aFound(ordinal, { inFabric: false })

  it('is joined only when every node is ready, and all of them are in it', () => {
    const waiting = [apart(0), apart(1), aFound(2, { state: 'building', inFabric: false })]
    expect(reconcile(aSituation({ joinsFabric: true, found: waiting }))).to.deep.include({ steps: [], ready: false })
    const plan = reconcile(aSituation({ joinsFabric: true, found: [aFound(0), apart(1), apart(2)] }))
    expect(plan.steps).to.deep.equal([{ step: 'join-fabric', providerInstanceIds: ['id-0', 'id-1', 'id-2'] }])
    expect(plan.ready).to.equal(false)
  })

  it('is not joined where nodes need none', () => {
    expect(reconcile(aSituation({ found: [apart(0), apart(1), apart(2)] }))).to.deep.include({ steps: [], ready: true })
  })

  it('is left before any node is deleted', () => {
    const found = [aFound(0), apart(1)]
    expect(stepsOf({ intent: 'release', joinsFabric: true, found })).to.deep.equal([{ step: 'leave-fabric' }])
    expect(stepsOf({ intent: 'release', joinsFabric: true, found: [apart(0), apart(1)] })).to.deep.equal([
      { step: 'delete', providerInstanceIds: ['id-0', 'id-1'] },
    ])
  })
})

describe('releasing (invariant 3)', () => {
  const bound = [aBound(0), aBound(1), aBound(2)]

  it('asks for every listed node to go, wanted or not, and calls gone only what is not listed', () => {
    const found = [aFound(0), aFound(9, { name: 'gbaaaaaaaaaaaaaaaa-00z-1' })]
    const plan = reconcile(aSituation({ intent: 'release', wanted: bound, found }))
    expect(plan.steps).to.deep.equal([{ step: 'delete', providerInstanceIds: ['id-0', 'id-9'] }])
    expect(plan.gone).to.equal(false)
    expect(plan.notes.map(({ ordinal, status }) => [ordinal, status])).to.deep.equal([
      [0, 'deleting'],
      [1, 'deleted'],
      [2, 'deleted'],
    ])
  })

  const endings: readonly { readonly rule: string; readonly group: Partial<AskedGroup>; readonly gone: boolean }[] = [
    { rule: 'is gone when the list is empty and nothing can still appear', group: {}, gone: true },
    { rule: 'is not gone while what was asked for can still appear', group: { askedAt: justNow }, gone: false },
    {
      rule: 'is not gone while a lost answer can still appear',
      group: { askedAt: justNow, effect: 'maybe' },
      gone: false,
    },
    { rule: 'is not gone while an asker has not come back', group: { effect: 'asked' }, gone: false },
    { rule: 'is gone at once where surely nothing was made', group: { askedAt: NOW, effect: 'none' }, gone: true },
    {
      rule: 'is gone at once where nothing was ever asked for',
      group: { askedAt: null, effect: 'unasked' },
      gone: true,
    },
  ]
  for (const { rule, group, gone } of endings) {
    it(rule, () => {
      const plan = reconcile(aSituation({ intent: 'release', wanted: bound, groups: [aGroup(), aGroup(group)] }))
      expect(plan.gone).to.equal(gone)
      expect(plan.steps).to.deep.equal([])
      const shown = gone ? 'deleted' : 'deleting'
      expect(plan.notes.map(({ status }) => status)).to.deep.equal([shown, shown, shown])
    })
  }

  it('leaves what is quarantined so until it is listed no more, and takes up what was called gone and is listed again', () => {
    const wanted = [
      aBound(0, { status: 'quarantined' }),
      aBound(1, { status: 'quarantined' }),
      aBound(2, { status: 'deleted' }),
    ]
    const plan = reconcile(aSituation({ intent: 'release', wanted, found: [aFound(0), aFound(2)] }))
    expect(plan.notes.map(({ ordinal, status }) => [ordinal, status])).to.deep.equal([
      [1, 'deleted'],
      [2, 'deleting'],
    ])
    expect(plan.steps).to.deep.equal([{ step: 'delete', providerInstanceIds: ['id-0', 'id-2'] }])
  })

  it('never asks for anything, whatever is missing', () => {
    const plan = reconcile(aSituation({ intent: 'release', groups: [aGroup({ askedAt: null, effect: 'unasked' })] }))
    expect(plan.steps).to.deep.equal([])
  })

  it('waits for a node that is going until the list no longer has it', () => {
    const plan = reconcile(aSituation({ intent: 'release', wanted: bound, found: [aFound(0, { state: 'deleting' })] }))
    expect(plan.gone).to.equal(false)
  })
})
