import { expect } from 'chai'
import { describe, it } from 'mocha'
import type { CalendarOp } from '../../broker/core/calendar-op.ts'
import { placeAgain } from '../../broker/core/placement/place.ts'
import { DEFAULT_POLICY } from '../../broker/core/placement/policy.ts'
import type { PlacementRequest } from '../../broker/core/placement/request.ts'
import { waitingReason } from '../../broker/core/waiting-reason.ts'
import { HOUR_MS, toIso, type EpochMs } from '../../shared/time.ts'
import { aCalendar, aCluster, aRequest, aReservation, flexible, NEXT_HOUR, NOW, reserve } from './fleet.ts'

const cluster = aCluster({ id: 'c', nodes: 4 })
const until = NEXT_HOUR + 5 * HOUR_MS
const minute = (at: EpochMs): string => toIso(at).slice(0, 16).replace('T', ' ')

function reasonFor(request: PlacementRequest, ops: readonly CalendarOp[]): string {
  const calendar = aCalendar([cluster], ops)
  const { best } = placeAgain(calendar, request, NOW, DEFAULT_POLICY)
  return waitingReason(calendar, { request, place: best }, NOW, DEFAULT_POLICY)
}

describe('the reason to wait', () => {
  const full = reserve(aReservation({ clusterId: 'c', start: NOW, end: until, heldUntil: until, nodes: 4 }))
  const asked = aRequest({ demand: { nodes: 4 }, period: flexible(24) })

  it('names what is asked, the cluster, and until when it is full', () => {
    expect(reasonFor(asked, [full])).to.equal(`4 nodes: c is full until ${minute(until)}`)
  })

  it('names what was required', () => {
    const requires = { ...asked.requires, architectures: [cluster.architecture], minClusterNodes: 4 }
    const text = reasonFor({ ...asked, requires }, [full])
    expect(text).to.match(/^4 nodes of \w+, a cluster of 4 or more: c is full until /)
  })

  it('does not call a cluster full that had no room when it was asked', () => {
    const avoid = [{ clusterId: 'c', until }]
    const text = reasonFor({ ...asked, avoid }, [])
    expect(text).to.equal(`4 nodes: c had no room when it was asked, and is not asked again before ${minute(until)}`)
  })

  it('says what stands in the way where no start is left', () => {
    const late = aRequest({ demand: { nodes: 4 }, period: flexible(24, NOW, NOW + HOUR_MS) })
    expect(reasonFor(late, [full])).to.match(/^4 nodes: .*not free/)
  })
})
