import { expect } from 'chai'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { aServer, idsOf, startNhn } from './nhn-client.ts'
import type { NhnClient } from './nhn-client.ts'

const TENANT = '0123456789abcdef0123456789abcdef'

describe('simulated NHN Cloud: servers', () => {
  let nhn: NhnClient
  beforeEach(async () => {
    nhn = await startNhn()
  })
  afterEach(() => nhn.close())

  describe('a server', () => {
    it('is accepted with its id and nothing of its state', async () => {
      const { status, body, headers } = await nhn.create()
      expect(status).to.equal(202)
      expect(body.server).to.have.all.keys('id', 'links', 'security_groups', 'OS-DCF:diskConfig', 'adminPass')
      expect(headers.get('location')).to.equal(`${nhn.url}/compute/v2/${TENANT}/servers/${body.server.id}`)
    })

    it('is building without an address first, and active with one when its boot time is over', async () => {
      const { id } = (await nhn.create()).body.server
      const before = await nhn.server(id)
      expect([before.status, before['OS-EXT-STS:vm_state'], before.addresses]).to.deep.equal(['BUILD', 'building', {}])
      await nhn.hours(1)
      const after = await nhn.server(id)
      expect([after.status, after['OS-EXT-STS:power_state'], Object.keys(after.addresses)]).to.deep.equal([
        'ACTIVE',
        1,
        ['sandbox-vpc-1'],
      ])
      expect(after['OS-EXT-AZ:availability_zone']).to.equal('kr-pub-a')
    })

    for (const [sent, goes] of [
      [true, true],
      [1, true],
      ['true', true],
      [0, false],
      [undefined, false],
    ] as const) {
      it(`takes its root disk along or not where delete_on_termination is ${JSON.stringify(sent)}`, async () => {
        const [root] = aServer.block_device_mapping_v2
        const device = { ...root, delete_on_termination: sent, boot_index: '0', volume_size: '100' }
        const { id } = (await nhn.create({ block_device_mapping_v2: [device] })).body.server
        await nhn.call('DELETE', `/compute/servers/${id}`)
        await nhn.hours(1)
        const [volume] = (await nhn.ledger()).others.filter(({ kind }) => kind === 'volume')
        expect(volume?.deletedAt !== null).to.equal(goes)
      })
    }

    it('mixes the image’s metadata with the caller’s, which wins', async () => {
      const { id } = (await nhn.create({ metadata: { owner: 'me', os_type: 'mine' } })).body.server
      expect((await nhn.server(id)).metadata).to.include({
        owner: 'me',
        os_type: 'mine',
        os_distro: 'ubuntu',
        login_username: 'ubuntu',
      })
    })

    it('shows its image as an object only where the request named one', async () => {
      const { imageRef: _, ...without } = aServer
      const named = (await nhn.create()).body.server.id
      const unnamed = (await nhn.call('POST', '/compute/servers', { server: without })).body.server.id
      expect((await nhn.server(named)).image).to.include({ id: aServer.imageRef })
      expect((await nhn.server(unnamed)).image).to.equal('')
    })

    it('has links that lead to an internal host', async () => {
      const { id } = (await nhn.create()).body.server
      for (const { href } of (await nhn.server(id)).links)
        expect(href).to.match(/^http:\/\/nova\.iaas\.sandbox\.internal:8774/)
    })

    it('is still there while it is being deleted, and 404 afterwards', async () => {
      const { id } = (await nhn.create()).body.server
      expect((await nhn.call('DELETE', `/compute/servers/${id}`)).status).to.equal(204)
      expect((await nhn.server(id))['OS-EXT-STS:task_state']).to.equal('deleting')
      expect((await nhn.ledger()).nodes[0]?.deletedAt).to.equal(null)
      await nhn.hours(1)
      const gone = await nhn.call('GET', `/compute/servers/${id}`)
      expect([gone.status, gone.body.itemNotFound.message]).to.deep.equal([404, `Instance ${id} could not be found.`])
      expect((await nhn.call('DELETE', `/compute/servers/${id}`)).status).to.equal(404)
      expect((await nhn.ledger()).nodes[0]?.deletedAt).to.be.a('string')
    })

    it('stays when the deletion was a lie', async () => {
      await nhn.control('behaviour', { deleteLies: 1 })
      const { id } = (await nhn.create()).body.server
      expect((await nhn.call('DELETE', `/compute/servers/${id}`)).status).to.equal(204)
      await nhn.hours(1)
      expect((await nhn.server(id)).status).to.equal('ACTIVE')
      await nhn.call('DELETE', `/compute/servers/${id}`)
      await nhn.hours(2)
      expect(await nhn.servers()).to.deep.equal([])
    })

    it('stops and starts, and refuses what its state does not allow', async () => {
      const { id } = (await nhn.create()).body.server
      const act = async (action: object) => nhn.call('POST', `/compute/servers/${id}/action`, action)
      expect((await act({ 'os-stop': null })).status).to.equal(409)
      await nhn.hours(1)
      const refused = await act({ 'os-start': null })
      expect(refused.body.conflictingRequest.message).to.equal(
        `Cannot 'os-start' instance ${id} while it is in vm_state active`,
      )
      expect((await act({ 'os-stop': null })).status).to.equal(202)
      expect((await nhn.server(id))['OS-EXT-STS:task_state']).to.equal('powering-off')
      await nhn.hours(2)
      expect((await nhn.server(id)).status).to.equal('SHUTOFF')
      expect((await act({ 'os-start': null })).status).to.equal(202)
      await nhn.hours(3)
      expect((await nhn.server(id)).status).to.equal('ACTIVE')
      expect((await act({ shelve: null })).status).to.equal(400)
    })

    it('has metadata that can be read, set and removed key by key', async () => {
      const { id } = (await nhn.create()).body.server
      const path = `/compute/servers/${id}/metadata/colour`
      expect((await nhn.call('GET', path)).status).to.equal(404)
      expect((await nhn.call('PUT', path, { meta: { colour: 'blue' } })).body).to.deep.equal({
        meta: { colour: 'blue' },
      })
      expect((await nhn.call('GET', path)).body).to.deep.equal({ meta: { colour: 'blue' } })
      expect((await nhn.call('PUT', path, { meta: { other: 'x' } })).status).to.equal(400)
      expect((await nhn.call('DELETE', path)).status).to.equal(204)
      expect((await nhn.server(id)).metadata).not.to.have.property('colour')
    })

    it('surfaces in lists and detail only after the lag', async () => {
      await nhn.control('behaviour', { listLagMs: 60_000 })
      const { id } = (await nhn.create()).body.server
      expect([await nhn.servers(), (await nhn.call('GET', `/compute/servers/${id}`)).status]).to.deep.equal([[], 404])
      await nhn.hours(1)
      expect(idsOf(await nhn.servers())).to.deep.equal([id])
    })
  })

  describe('a batch', () => {
    it('answers its first member only, and numbers the names from 1', async () => {
      const first = (await nhn.create({ min_count: 3, max_count: 3 })).body.server.id
      const found = await nhn.servers()
      expect(found.map(({ name }) => name).toSorted()).to.deep.equal(['node-1', 'node-2', 'node-3'])
      expect(found.find(({ id }) => id === first)?.name).to.equal('node-1')
    })

    it('of one keeps the plain name', async () => {
      await nhn.create({ min_count: 1, max_count: 1 })
      expect((await nhn.servers()).map(({ name }) => name)).to.deep.equal(['node'])
    })

    it('can number its names without a dash', async () => {
      await nhn.control('behaviour', { batchSuffix: 'plain' })
      await nhn.create({ max_count: 2 })
      expect((await nhn.servers()).map(({ name }) => name).toSorted()).to.deep.equal(['node1', 'node2'])
    })

    it('is found by its reservation when asked for that', async () => {
      await nhn.create()
      const { body } = await nhn.create({ max_count: 2, return_reservation_id: true })
      expect(body).to.have.all.keys('reservation_id')
      expect(await nhn.servers(`?reservation_id=${body.reservation_id}`)).to.have.length(2)
    })

    it('has at most ten members', async () => {
      expect((await nhn.create({ max_count: 11 })).status).to.equal(400)
    })

    it('fails as a whole, later, when there are not hosts for all', async () => {
      await nhn.control('behaviour', { freeNodes: 2 })
      expect((await nhn.create({ min_count: 3, max_count: 3 })).status).to.equal(202)
      await nhn.hours(1)
      for (const server of await nhn.servers()) {
        expect([server.status, server.fault?.message]).to.deep.equal([
          'ERROR',
          'No valid host was found. There are not enough hosts available.',
        ])
      }
      await nhn.create({ name: 'fits', min_count: 2, max_count: 2 })
      await nhn.hours(2)
      expect(await nhn.servers('?name=^fits&status=ACTIVE')).to.have.length(2)
    })

    it('is refused beyond the quota, in either form, and a failed server counts', async () => {
      await nhn.control('behaviour', { quotaNodes: 2, buildFails: 1 })
      await nhn.create()
      await nhn.hours(1)
      expect((await nhn.servers())[0]?.status).to.equal('ERROR')
      const refused = await nhn.create({ min_count: 2, max_count: 2 })
      expect([refused.status, refused.body.forbidden.message]).to.deep.equal([
        403,
        'Quota exceeded for instances: Requested 2, but already used 1 of 2 instances',
      ])
      await nhn.control('behaviour', { quotaStatus: 413 })
      const old = await nhn.create({ min_count: 2, max_count: 2 })
      expect([old.status, old.body.overLimit.retryAfter, old.headers.get('retry-after')]).to.deep.equal([413, '0', '0'])
    })

    it('shrinks to what the quota has room for, not below min_count', async () => {
      await nhn.control('behaviour', { quotaNodes: 2 })
      expect((await nhn.create({ min_count: 1, max_count: 5 })).status).to.equal(202)
      expect(await nhn.servers()).to.have.length(2)
    })
  })
})

describe('simulated NHN Cloud, killed and started again', () => {
  it('goes on with the servers that it had accepted, their volumes and the tokens', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'sandbox-'))
    try {
      const first = await startNhn(dir)
      const { id } = (await first.create()).body.server
      const second = await startNhn(dir) // the first was not closed: as after a kill
      await second.hours(1)
      expect(await second.server(id)).to.include({ id, status: 'ACTIVE' })
      expect((await second.ledger()).others.map(({ kind }) => kind)).to.deep.equal(['volume'])
      const answer = await fetch(`${second.url}/compute/v2/${TENANT}/servers`, {
        headers: { 'x-auth-token': first.token() },
      })
      expect(answer.status).to.equal(200)
      await first.close()
      await second.close()
    } finally {
      await rm(dir, { recursive: true })
    }
  })
})
