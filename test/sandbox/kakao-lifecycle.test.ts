import { expect } from 'chai'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { aGpuMachine, aNode, BOOT_MS, INSTANCES, made, startKakao, STOP_MS, withKakao } from './kakao-client.ts'
import type { Answer, KakaoClient } from './kakao-client.ts'

describe('sandbox kakao: life of an instance', () => {
  let kakao: KakaoClient
  beforeEach(async () => {
    kakao = await startKakao()
  })
  afterEach(() => kakao.close())

  const detail = async (id: string): Promise<Answer> => kakao.call(`GET ${INSTANCES}/${id}`)
  const post = async (id: string, action: string, body?: unknown): Promise<Answer> =>
    kakao.call(`POST ${INSTANCES}/${id}/${action}`, body)
  const states = async (id: string): Promise<unknown[]> => {
    const answer = await detail(id)
    return ['status', 'vm_state', 'task_state', 'power_state'].map((member) => answer.get(`instance.${member}`))
  }

  it('goes through scheduling, networking and spawning to active, idle only at the end', async () => {
    const id = await made(kakao)
    expect(await states(id)).to.deep.equal(['scheduling', 'building', 'scheduling', 'NOSTATE'])
    await kakao.at(BOOT_MS * 0.2)
    expect(await states(id)).to.deep.equal(['networking', 'building', 'networking', 'NOSTATE'])
    expect((await detail(id)).get('instance.addresses')).to.deep.equal([])
    await kakao.at(BOOT_MS * 0.5)
    expect(await states(id)).to.deep.equal(['spawning', 'building', 'spawning', 'NOSTATE'])
    await kakao.at(BOOT_MS)
    expect(await states(id)).to.deep.equal(['active', 'active', null, 'RUNNING'])
    expect((await detail(id)).get('instance.addresses.0')).to.have.all.keys(
      'private_ip',
      'public_ip',
      'network_interface_id',
    )
  })

  it('is deleting until it is gone, then 404 in detail while lists hold its row a little longer', async () => {
    const linger = STOP_MS
    const id = await made(kakao)
    await kakao.at(BOOT_MS)
    expect((await kakao.call(`DELETE ${INSTANCES}/${id}`)).status).to.equal(204)
    expect(await states(id)).to.deep.equal(['deleting', 'active', 'deleting', 'RUNNING'])
    expect((await kakao.call(`DELETE ${INSTANCES}/${id}`)).status).to.equal(204)
    expect((await kakao.ledger()).nodes[0]).to.include({ id, deletedAt: null })

    await kakao.at(BOOT_MS + STOP_MS + linger / 2)
    expect((await detail(id)).status).to.equal(404)
    expect((await kakao.call(`DELETE ${INSTANCES}/${id}`)).status).to.equal(404)
    expect((await kakao.call(`GET ${INSTANCES}`)).each('instances', 'status')).to.deep.equal(['deleted'])
    expect((await kakao.ledger()).nodes[0]?.deletedAt).to.be.a('string')

    await kakao.at(BOOT_MS + STOP_MS + linger * 1.5)
    expect((await kakao.call(`GET ${INSTANCES}`)).get('pagination.total')).to.equal(0)
  })

  it('can be deleted while it is still being built', async () => {
    const id = await made(kakao)
    expect((await kakao.call(`DELETE ${INSTANCES}/${id}`)).status).to.equal(204)
    await kakao.at(STOP_MS)
    expect((await detail(id)).status).to.equal(404)
  })

  it('acknowledges a deletion and does nothing while it lies', async () => {
    await kakao.control('behaviour', { deleteLies: 1 })
    const id = await made(kakao)
    expect((await kakao.call(`DELETE ${INSTANCES}/${id}`)).status).to.equal(204)
    await kakao.at(BOOT_MS + STOP_MS)
    expect((await states(id))[0]).to.equal('active')
    expect((await kakao.call(`DELETE ${INSTANCES}/${id}`)).status).to.equal(204)
    expect((await states(id))[0]).to.equal('deleting')
  })

  for (const [kind, body] of [
    ['bare metal', aNode()],
    ['a gpu machine', aGpuMachine()],
  ] as const) {
    it(`accepts ${kind} without a free host and lets it end in error, the reason in the action log`, async () => {
      await kakao.control('behaviour', { freeNodes: 1 })
      const [first, second] = [await made(kakao, body), await made(kakao, body)]
      expect((await states(second))[0]).to.equal('scheduling')
      const log = async (): Promise<Answer> => kakao.call(`GET ${INSTANCES}/${second}/action-logs`)
      expect((await log()).get('actions.0')).to.include({ action: 'create', message: null })
      await kakao.at(BOOT_MS)
      expect(await states(first)).to.deep.equal(['active', 'active', null, 'RUNNING'])
      expect(await states(second)).to.deep.equal(['error', 'error', null, 'NOSTATE'])
      expect((await log()).get('actions.0.message')).to.match(/No valid host was found/)
      expect((await log()).get('actions.0.request_id')).to.match(/^req-/)
      expect((await detail(second)).get('instance.addresses')).to.deep.equal([])
    })
  }

  it('gives a host back with a deletion, and takes none for what ended without one', async () => {
    await kakao.control('behaviour', { freeNodes: 1 })
    const [first, second] = [await made(kakao), await made(kakao)]
    await kakao.call(`DELETE ${INSTANCES}/${first}`)
    await kakao.at(BOOT_MS)
    const third = await made(kakao)
    await kakao.at(2 * BOOT_MS)
    expect([(await states(second))[0], (await states(third))[0]]).to.deep.equal(['error', 'active'])
  })

  it('refuses bare metal without a free host at once where that is switched on', async () => {
    await withKakao({ bareMetalShortage: 'sync-conflict' }, async (strict) => {
      await strict.control('behaviour', { freeNodes: 0 })
      const answer = await strict.call(`POST ${INSTANCES}`, aNode())
      expect([answer.status, answer.get('error.code')]).to.deep.equal([409, 'Conflict'])
      expect((await strict.ledger()).nodes).to.deep.equal([])
    })
  })

  it('ends a failing build in error, still there until it is deleted', async () => {
    await kakao.control('behaviour', { buildFails: 1 })
    const [first, second] = [await made(kakao), await made(kakao)]
    await kakao.at(BOOT_MS)
    expect([(await states(first))[0], (await states(second))[0]]).to.deep.equal(['error', 'active'])
    const log = await kakao.call(`GET ${INSTANCES}/${first}/action-logs`)
    expect(log.get('actions.0.message'))
      .to.be.a('string')
      .and.not.match(/No valid host/)
    expect((await kakao.call(`DELETE ${INSTANCES}/${first}`)).status).to.equal(204)
    await kakao.at(BOOT_MS + STOP_MS)
    expect((await detail(first)).status).to.equal(404)
  })

  it('stops, starts and reboots, each only from where it may', async () => {
    const id = await made(kakao)
    expect((await post(id, 'stop')).status).to.equal(409)
    await kakao.at(BOOT_MS)
    expect((await post(id, 'start')).status).to.equal(409)
    const stopped = await post(id, 'stop')
    expect([stopped.status, stopped.text]).to.deep.equal([202, ''])
    expect(await states(id)).to.deep.equal(['powering-off', 'active', 'powering-off', 'RUNNING'])
    expect((await post(id, 'start')).get('error.code')).to.equal('Conflict')
    await kakao.at(2 * BOOT_MS)
    expect(await states(id)).to.deep.equal(['stopped', 'stopped', null, 'SHUTDOWN'])
    expect((await post(id, 'soft-reboot')).status).to.equal(409)
    expect((await post(id, 'start')).status).to.equal(202)
    await kakao.at(3 * BOOT_MS)
    expect((await post(id, 'hard-reboot')).status).to.equal(202)
    expect((await states(id))[0]).to.equal('rebooting_hard')
    await kakao.at(4 * BOOT_MS)
    expect(await states(id)).to.deep.equal(['active', 'active', null, 'RUNNING'])
    const log = await kakao.call(`GET ${INSTANCES}/${id}/action-logs`)
    expect(log.each('actions', 'action')).to.deep.equal(['hard-reboot', 'start', 'stop', 'create'])
  })

  it('refuses to shelve or resize bare metal', async () => {
    const id = await made(kakao)
    await kakao.at(BOOT_MS)
    expect((await post(id, 'shelve')).status).to.equal(409)
    await post(id, 'stop')
    await kakao.at(2 * BOOT_MS)
    const small = { flavor: { id: 'f1000000-0000-4000-8000-000000000008' } }
    expect((await post(id, 'resize', small)).status).to.equal(409)
  })

  it('shelves a gpu machine, takes it back, and resizes it only when stopped', async () => {
    const id = await made(kakao, aGpuMachine())
    await kakao.at(BOOT_MS)
    const larger = { flavor: { id: 'f1000000-0000-4000-8000-000000000008' } }
    expect((await post(id, 'resize', larger)).status).to.equal(409)
    expect((await post(id, 'shelve')).status).to.equal(202)
    await kakao.at(2 * BOOT_MS)
    expect((await states(id))[0]).to.equal('shelved_offloaded')
    expect((await post(id, 'stop')).status).to.equal(409)
    expect((await post(id, 'unshelve')).status).to.equal(202)
    await kakao.at(3 * BOOT_MS)
    await post(id, 'stop')
    await kakao.at(4 * BOOT_MS)
    expect((await post(id, 'resize', larger)).status).to.equal(202)
    await kakao.at(5 * BOOT_MS)
    expect((await states(id))[0]).to.equal('stopped')
    expect((await detail(id)).get('instance.flavor.name')).to.equal('p2i.12xlarge')
  })

  it('rebuilds with an image that suits, answering in the shape of changes', async () => {
    const id = await made(kakao)
    await kakao.at(BOOT_MS)
    const rebuild = async (image: string): Promise<Answer> => post(id, 'rebuild', { rebuild: { image_id: image } })
    expect((await rebuild('2a000000-0000-4000-8000-000000000003')).status).to.equal(400)
    const answer = await rebuild('2a000000-0000-4000-8000-000000000002')
    expect([answer.status, answer.get('instance.id')]).to.deep.equal([202, id])
    expect(answer.get('instance')).not.to.have.property('status')
    expect((await states(id))[0]).to.equal('rebuilding')
  })

  it('speaks of states that no document names where that is switched on', async () => {
    await withKakao({ futureStrings: true, actionBody: 'null' }, async (odd) => {
      const id = await made(odd)
      await odd.at(BOOT_MS / 2)
      expect((await odd.call(`GET ${INSTANCES}/${id}`)).get('instance.status')).to.equal('preparing_firmware')
      await odd.at(BOOT_MS)
      const answer = await odd.call(`POST ${INSTANCES}/${id}/stop`)
      expect([answer.status, answer.text]).to.deep.equal([202, 'null'])
    })
  })

  it('goes on where it was after a restart, with the tokens that were given out', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'sandbox-kakao-'))
    const before = await startKakao({}, { dir })
    const id = await made(before)
    const token = await before.token()
    await before.close()
    const after = await startKakao({}, { dir })
    const answer = await after.raw(`GET ${INSTANCES}/${id}`, { headers: { 'x-auth-token': token } })
    const { nodes } = await after.ledger()
    await after.close()
    await rm(dir, { recursive: true })
    expect([answer.status, answer.get('instance.status')]).to.deep.equal([200, 'scheduling'])
    expect(nodes.map((node) => node.id)).to.deep.equal([id])
  })
})
