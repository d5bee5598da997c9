import { expect } from 'chai'
import { describe, it } from 'mocha'
import {
  ALLOCATION_EVENTS,
  firstStatus,
  isFinal,
  nextStatus,
  reservationPhaseOf,
  type AllocationEvent,
} from '../../broker/core/allocation-state.ts'
import { ALLOCATION_STATUSES, type AllocationStatus } from '../../shared/allocation.ts'

/** Every change there is, written down a second time from the wire contract. */
const CHANGES: readonly [AllocationStatus, AllocationEvent, AllocationStatus][] = [
  ['waitlisted', 'placed', 'scheduled'],
  ['waitlisted', 'releaseAsked', 'cancelled'],
  ['waitlisted', 'windowPassed', 'cancelled'],
  ['waitlisted', 'gaveUp', 'failed'],
  ['scheduled', 'startReached', 'provisioning'],
  ['scheduled', 'replaced', 'scheduled'],
  ['scheduled', 'requeued', 'waitlisted'],
  ['scheduled', 'releaseAsked', 'cancelled'],
  ['scheduled', 'endReached', 'cancelled'],
  ['scheduled', 'gaveUp', 'failed'],
  ['provisioning', 'allReady', 'active'],
  ['provisioning', 'replaced', 'scheduled'],
  ['provisioning', 'requeued', 'waitlisted'],
  ['provisioning', 'releaseAsked', 'releasing'],
  ['provisioning', 'endReached', 'releasing'],
  ['provisioning', 'preempted', 'preempting'],
  ['provisioning', 'gaveUp', 'failed'],
  ['active', 'releaseAsked', 'releasing'],
  ['active', 'endReached', 'releasing'],
  ['active', 'preempted', 'preempting'],
  ['preempting', 'nodesGone', 'waitlisted'],
  ['preempting', 'nodesGoneNeverActive', 'waitlisted'],
  ['preempting', 'releaseAsked', 'releasing'],
  ['preempting', 'endReached', 'releasing'],
  ['preempting', 'gaveUp', 'failed'],
  ['releasing', 'nodesGone', 'released'],
  ['releasing', 'nodesGoneNeverActive', 'cancelled'],
  ['failed', 'retried', 'waitlisted'],
]

describe('the life of an allocation', () => {
  for (const [from, event, to] of CHANGES)
    it(`goes from ${from} to ${to} when ${event} is said of it`, () => {
      expect(nextStatus(from, event)).to.equal(to)
    })

  it('has a row for every status, and no other change', () => {
    const known = new Set(CHANGES.map(([from, event]) => `${from} ${event}`))
    for (const from of ALLOCATION_STATUSES)
      for (const event of ALLOCATION_EVENTS)
        if (!known.has(`${from} ${event}`)) expect(nextStatus(from, event), `${from} ${event}`).to.equal(null)
  })

  it('begins as scheduled or waitlisted', () => {
    expect(firstStatus(true)).to.equal('scheduled')
    expect(firstStatus(false)).to.equal('waitlisted')
  })

  it('ends in a status that holds no place, and nothing leads out of it but a retry of what failed', () => {
    const final = ALLOCATION_STATUSES.filter((status) => isFinal(status))
    expect(final).to.have.members(['released', 'cancelled', 'failed'])
    for (const status of ALLOCATION_STATUSES) {
      const ways = ALLOCATION_EVENTS.filter((event) => nextStatus(status, event) !== null)
      if (isFinal(status)) expect(ways).to.deep.equal(status === 'failed' ? ['retried'] : [])
      else expect(ways.length).to.be.greaterThan(0)
    }
  })

  it('can be ended by a caller from every status that is not final, once', () => {
    for (const status of ALLOCATION_STATUSES) {
      const after = nextStatus(status, 'releaseAsked')
      if (isFinal(status) || status === 'releasing') expect(after, status).to.equal(null)
      else expect(after, status).to.be.oneOf(['cancelled', 'releasing'])
    }
  })

  it('holds running nodes from provisioning until they are seen gone', () => {
    const running = ALLOCATION_STATUSES.filter((status) => reservationPhaseOf(status) === 'running')
    expect(running).to.have.members(['provisioning', 'active', 'preempting', 'releasing'])
    expect(reservationPhaseOf('waitlisted')).to.equal('planned')
    expect(reservationPhaseOf('scheduled')).to.equal('scheduled')
  })
})
