import { expect } from 'chai'
import fc from 'fast-check'
import { before, describe, it } from 'mocha'
import { EARLIEST_FIT_1 } from '../../broker/core/placement/policy.ts'
import { DECISION_KINDS } from '../../shared/decision.ts'
import { aCluster, NOW } from '../core/fleet.ts'
import { anyHistory, live } from './history.ts'
import { memoryApp } from './memory-app.ts'
import { copied, replayed, type Written, writtenBy } from './written.ts'

/** Long enough that every kind of decision is in it. */
const HISTORIES = 60
const SEED = 4

describe('what was written down', function tampering() {
  this.timeout(60_000)
  let whole: Written
  before(async () => {
    const memory = memoryApp({
      catalogue: [aCluster({ id: 'alpha', nodes: 6 }), aCluster({ id: 'beta', nodes: 4, providerId: 'kakao' })],
      policy: EARLIEST_FIT_1,
      now: NOW,
    })
    const history = fc.sample(anyHistory, { numRuns: HISTORIES, seed: SEED }).flat()
    await live(memory, history, () => undefined)
    whole = writtenBy(memory)
  })

  const isFoundOut = (tamper: (written: Written) => void): void => {
    const written = copied(whole)
    tamper(written)
    expect(replayed(written).deviation).to.not.equal(null)
  }
  /** Somewhere in the middle, so that there is something before and behind it. */
  const middle = <T>(all: readonly T[]): T => {
    const one = all[Math.floor(all.length / 2)]
    if (one === undefined) throw new Error('the history is not empty')
    return one
  }

  it('has decisions of every kind, and all of them come out the same', () => {
    expect(new Set(whole.decisions.map(({ kind }) => kind))).to.deep.equal(new Set(DECISION_KINDS))
    expect(replayed(whole).deviation).to.equal(null)
  })

  it('is found out where an operation was changed', () =>
    isFoundOut(({ log }) => {
      const { op } = middle(log.filter((entry) => entry.op.op === 'reserve'))
      if (op.op === 'reserve') Object.assign(op.reservation, { nodes: op.reservation.nodes + 1 })
    }))

  it('is found out where an operation is missing', () =>
    isFoundOut(({ log }) => void log.splice(Math.floor(log.length / 2), 1)))

  it('is found out where operations were exchanged', () =>
    isFoundOut(({ log }) => {
      const at = log.findIndex((entry, index) => index > 0 && entry.op.op !== log[index - 1]?.op.op)
      const [first, second] = [log[at - 1], log[at]]
      if (first === undefined || second === undefined) throw new Error('there are operations of several kinds')
      const { op } = first
      Object.assign(first, { op: second.op })
      Object.assign(second, { op })
    }))

  it('is found out where the last operation is missing', () => isFoundOut(({ log }) => void log.pop()))

  it('is found out where a candidate, an outcome or an input was changed', () => {
    isFoundOut(({ decisions }) => {
      const { candidates } = middle(decisions.filter((one) => one.candidates.some(({ score }) => score !== null)))
      const scored = candidates.find(({ score }) => score !== null)
      Object.assign(scored ?? {}, { score: (scored?.score ?? 0) + Number.EPSILON * 8 })
    })
    isFoundOut(({ decisions }) => {
      const { outcome } = middle(decisions.filter((one) => one.kind === 'place'))
      Object.assign(outcome, { nodes: 1_000 })
    })
    isFoundOut(({ decisions }) => {
      const { input } = middle(decisions.filter((one) => one.kind === 'waitlist'))
      Object.assign(input as object, { promisedStart: 1 })
    })
  })

  it('is found out where a decision is missing, at the end too', () => {
    isFoundOut(({ decisions }) => void decisions.splice(Math.floor(decisions.length / 2), 1))
    isFoundOut(({ decisions }) => void decisions.pop())
  })

  it('is found out where decisions were exchanged', () =>
    isFoundOut(({ decisions }) => {
      const at = Math.floor(decisions.length / 2)
      const [first, second] = [decisions[at], decisions[at + 1]]
      if (first === undefined || second === undefined) throw new Error('there are decisions')
      const { sequence } = first
      Object.assign(first, { sequence: second.sequence })
      Object.assign(second, { sequence })
      decisions.sort((a, b) => a.sequence - b.sequence)
    }))

  it('is found out where a decision names another policy, instant or predecessor', () => {
    isFoundOut(({ decisions }) => void Object.assign(middle(decisions), { policyVersion: 'earliest-fit-2' }))
    isFoundOut(({ decisions }) => void Object.assign(middle(decisions), { at: middle(decisions).at + 1 }))
    isFoundOut(({ decisions }) => void Object.assign(middle(decisions), { supersedes: 'dec_another' }))
  })
})
