import { expect } from 'chai'
import { after, afterEach, before, beforeEach, describe, it } from 'mocha'
import nock from 'nock'
import { errorOf } from '../rejection.ts'
import {
  ALLOCATION,
  GROUP,
  INSTALLATION,
  NETWORK,
  TAG,
  TENANT,
  VOLUME,
  aCall,
  aProvider,
  forgetAnswers,
  grantTokens,
  switchNetworkOff,
  switchNetworkOn,
} from './support.ts'

const VOLUMES = `/v2/${TENANT}/volumes`

interface Left {
  readonly volumes?: readonly object[]
  readonly ports?: readonly object[]
  readonly floatingips?: readonly object[]
}

function answerLists({ volumes = [], ports = [], floatingips = [] }: Left): void {
  nock(VOLUME).get(`${VOLUMES}/detail`).query(true).reply(200, { volumes })
  nock(NETWORK).get('/v2.0/ports').query(true).reply(200, { ports })
  nock(NETWORK).get('/v2.0/floatingips').query(true).reply(200, { floatingips })
}

const sweep = (allocationsEnded: readonly string[] = [ALLOCATION]) =>
  aProvider().sweepLeftovers({ installationId: INSTALLATION, allocationsEnded: new Set(allocationsEnded) }, aCall())

describe('sweeping leftovers at NHN', () => {
  before(switchNetworkOff)
  after(switchNetworkOn)
  beforeEach(() => {
    grantTokens()
  })
  afterEach(forgetAnswers)

  it('removes volumes, ports and public addresses that carry our tag, and says which', async () => {
    answerLists({
      volumes: [
        { id: 'v1', name: `${GROUP}-1`, status: 'available', metadata: { 'gpu-broker': TAG }, attachments: [] },
      ],
      ports: [{ id: 'p1', name: '', description: TAG, device_id: '', tags: [] }],
      floatingips: [{ id: 'f1', description: TAG, floating_ip_address: '180.210.1.2', port_id: null }],
    })
    const deletions = [
      nock(VOLUME).delete(`${VOLUMES}/v1`).reply(202),
      nock(NETWORK).delete('/v2.0/ports/p1').reply(204),
      nock(NETWORK).delete('/v2.0/floatingips/f1').reply(404),
    ]
    expect(await sweep()).to.deep.equal([
      { kind: 'public-ip', id: 'f1', name: '180.210.1.2', action: 'removed' },
      { kind: 'port', id: 'p1', name: '', action: 'removed' },
      { kind: 'volume', id: 'v1', name: `${GROUP}-1`, action: 'removed' },
    ])
    expect(deletions.every((deletion) => deletion.isDone())).to.equal(true)
  })

  it('touches nothing without our tag, whatever its name, and nothing of an allocation that has not ended', async () => {
    answerLists({
      volumes: [
        { id: 'v1', name: `${GROUP}-1`, description: '', metadata: {}, attachments: [] },
        { id: 'v2', name: `${GROUP}-2`, description: TAG.replace('ins_a', 'ins_b'), attachments: [] },
      ],
    })
    expect(await sweep()).to.deep.equal([])
    answerLists({ volumes: [{ id: 'v3', name: '', description: TAG, attachments: [] }] })
    expect(await sweep([])).to.deep.equal([])
  })

  it('keeps what a server still has, and what the operator will not delete yet', async () => {
    answerLists({
      volumes: [
        { id: 'v1', description: TAG, attachments: [{ server_id: 's1' }] },
        { id: 'v2', description: TAG, attachments: [] },
      ],
      ports: [{ id: 'p1', name: 'nic', description: TAG, device_id: 's1' }],
    })
    nock(VOLUME)
      .delete(`${VOLUMES}/v2`)
      .reply(400, { badRequest: { code: 400, message: 'Volume status must be available' } })
    expect((await sweep()).map(({ id, action }) => [id, action])).to.deep.equal([
      ['p1', 'kept'],
      ['v1', 'kept'],
      ['v2', 'kept'],
    ])
  })

  it('finds nothing where a service does not know such things', async () => {
    nock(VOLUME).get(`${VOLUMES}/detail`).query(true).reply(404)
    nock(NETWORK).get('/v2.0/ports').query(true).reply(404)
    nock(NETWORK).get('/v2.0/floatingips').query(true).reply(404)
    expect(await sweep()).to.deep.equal([])
  })

  it('is an error when a list cannot be had', async () => {
    nock(NETWORK).get('/v2.0/floatingips').query(true).reply(500)
    expect(await errorOf(sweep())).to.include({ kind: 'unreachable', effect: 'none' })
  })

  it('says maybe when a deletion gets no proper answer', async () => {
    answerLists({ floatingips: [{ id: 'f1', description: TAG }] })
    nock(NETWORK).delete('/v2.0/floatingips/f1').reply(502, '<html>')
    expect(await errorOf(sweep())).to.include({ kind: 'unreachable', effect: 'maybe' })
  })
})
