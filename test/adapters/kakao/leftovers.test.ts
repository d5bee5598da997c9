import { expect } from 'chai'
import { beforeEach, describe, it } from 'mocha'
import nock from 'nock'
import { onlyPreparedAnswers } from '../prepared-answers.ts'
import { rejectionOf } from '../rejection.ts'
import { HOST, OWNER, TAG, aCall, aPage, aProvider, iamAnswers } from './support.ts'

const IPS = '/api/v1/public-ips'
const VOLUMES = '/api/v1/volumes'
const THEIRS = TAG.replace('ins_abcdefghijklmnop', 'ins_otherinstallatio')

const anAddress = (id: string, changes: object = {}): object => ({
  id,
  description: TAG,
  public_ip: '203.0.113.7',
  status: 'available',
  related_resource: null,
  ...changes,
})

function lists({ addresses = [], volumes = [] }: { addresses?: readonly object[]; volumes?: readonly object[] }): void {
  nock(HOST.network).get(IPS).query(true).reply(200, aPage('public_ips', addresses))
  nock(HOST.volume).get(VOLUMES).query(true).reply(200, aPage('volumes', volumes))
}

const sweep = (ended: readonly string[] = [OWNER.allocationId]) =>
  aProvider().sweepLeftovers({ installationId: OWNER.installationId, allocationsEnded: new Set(ended) }, aCall())

describe('sweepLeftovers of kakao', () => {
  onlyPreparedAnswers()
  beforeEach(() => {
    iamAnswers()
  })

  it('removes a public IP of ours that no allocation in use holds', async () => {
    lists({ addresses: [anAddress('ip-1')] })
    const gone = nock(HOST.network).delete(`${IPS}/ip-1`).reply(204)
    expect(await sweep()).to.deep.equal([{ kind: 'public-ip', id: 'ip-1', name: '203.0.113.7', action: 'removed' }])
    gone.done()
  })

  it('takes a public IP off its network interface first', async () => {
    lists({ addresses: [anAddress('ip-1', { status: 'in_use', related_resource: { id: 'nic-1' } })] })
    const calls = nock(HOST.network)
      .delete(`${IPS}/ip-1/network-interfaces/nic-1`)
      .reply(404, '')
      .delete(`${IPS}/ip-1`)
      .reply(202, 'null')
    expect((await sweep()).map(({ action }) => action)).to.deep.equal(['removed'])
    calls.done()
  })

  it('keeps for the next sweep what the operator will not let go yet', async () => {
    lists({ addresses: [anAddress('ip-1', { related_resource: { id: 'nic-1' } }), anAddress('ip-2')] })
    nock(HOST.network).delete(`${IPS}/ip-1/network-interfaces/nic-1`).reply(409, '')
    nock(HOST.network).delete(`${IPS}/ip-2`).reply(409, '')
    expect((await sweep()).map(({ action }) => action)).to.deep.equal(['kept', 'kept'])
  })

  it('takes what is gone meanwhile for removed', async () => {
    lists({ addresses: [anAddress('ip-1')] })
    nock(HOST.network).delete(`${IPS}/ip-1`).reply(404, '')
    expect((await sweep()).map(({ action }) => action)).to.deep.equal(['removed'])
  })

  it('removes volumes of ours, and keeps those in use', async () => {
    const aVolume = (id: string, status: string, description: string | null = TAG): object => ({
      id,
      name: `${OWNER.group}-1`,
      description,
      status,
    })
    lists({
      volumes: [
        aVolume('v-1', 'available'),
        aVolume('v-2', 'in_use'),
        aVolume('v-3', 'deleting'),
        aVolume('v-4', 'available', null), // a name of our form proves nothing
      ],
    })
    nock(HOST.volume).delete(`${VOLUMES}/v-1`).reply(204)
    expect((await sweep()).map(({ id, action }) => `${id} ${action}`)).to.deep.equal([
      'v-1 removed',
      'v-2 kept',
      'v-3 removed',
    ])
  })

  it('touches nothing of allocations in use, of other installations, or without a tag', async () => {
    const addresses = [
      anAddress('ip-1'),
      anAddress('ip-2', { description: THEIRS }),
      anAddress('ip-3', { description: null }),
      anAddress('ip-4', { description: `for ${TAG}` }),
    ]
    lists({ addresses })
    expect(await sweep([]), 'its allocation goes on').to.deep.equal([])
    lists({ addresses: addresses.slice(1) })
    expect(await sweep(), 'not provably ours').to.deep.equal([])
  })

  it('ends where the operator cannot be asked', async () => {
    lists({ addresses: [anAddress('ip-1')] })
    nock(HOST.network).delete(`${IPS}/ip-1`).reply(500, '')
    const error = await rejectionOf('unreachable', sweep())
    expect(error.effect).to.equal('maybe')
  })
})
