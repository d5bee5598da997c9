import { expect } from 'chai'
import { beforeEach, describe, it } from 'mocha'
import nock from 'nock'
import { onlyPreparedAnswers } from '../prepared-answers.ts'
import { rejectionOf } from '../rejection.ts'
import {
  HOST,
  NODE,
  NOW,
  OWNER,
  TAG,
  aCall,
  aPage,
  aProvider,
  anInstance,
  iamAnswers,
  listAnswers,
  listPath,
} from './support.ts'

const ALL = { installationId: OWNER.installationId }
const ONE = { ...ALL, allocationId: OWNER.allocationId }

const idsOf = (nodes: readonly { readonly providerInstanceId: string }[]): string[] =>
  nodes.map(({ providerInstanceId }) => providerInstanceId)

const pageAt = (offset: number, rows: readonly object[], total: number | null): nock.Scope =>
  nock(HOST.bcs)
    .get(listPath)
    .query((query) => query['offset'] === String(offset))
    .reply(200, total === null ? { instances: rows } : aPage('instances', rows, total, offset))

const rows = (...numbers: readonly number[]): object[] => numbers.map((n) => anInstance(n))

describe('listNodes of kakao', () => {
  onlyPreparedAnswers()
  beforeEach(() => {
    iamAnswers()
  })

  it('lists an allocation by its name token, oldest first, and compares the tag itself', async () => {
    const list = nock(HOST.bcs)
      .get(listPath)
      .query({ name: 'gbabcdefghijklmnop', limit: 1_000, offset: 0, sort_keys: 'created_at', sort_dirs: 'asc' })
      .reply(
        200,
        aPage('instances', [
          anInstance(1),
          anInstance(2, { description: null }),
          anInstance(3, { description: `${TAG} ` }),
          anInstance(4, { description: TAG.replace('ins_abcdefghijklmnop', 'ins_otherinstallatio') }),
          anInstance(5, { description: TAG.replaceAll('abcdefghijklmnop', 'qrstuvwxyzabcdef') }),
          anInstance(6, { is_k8se: true }),
        ]),
      )
    expect(idsOf(await aProvider().listNodes(ONE, aCall()))).to.deep.equal([NODE(1)])
    list.done()
  })

  it('tells what others made with the flavor in the zone, Kubernetes nodes among it', async () => {
    const foreign = TAG.replace('ins_abcdefghijklmnop', 'ins_otherinstallatio')
    listAnswers([
      anInstance(1),
      anInstance(2, { description: foreign }),
      anInstance(3, { description: null, name: null }),
      anInstance(4, { is_k8se: true }),
      anInstance(5, { description: null, flavor: { id: 'another-flavor' } }),
      anInstance(6, { description: null, availability_zone: 'kr-central-2-z' }),
    ])
    const others = await aProvider().listOthers?.(ALL, aCall())
    expect(idsOf(others ?? [])).to.deep.equal([NODE(2), NODE(3), NODE(4)])
    expect(others?.[1]).to.deep.equal({
      providerInstanceId: NODE(3),
      name: '',
      clusterId: 'kakao-b200-255',
      createdAt: Date.parse('2026-11-30T23:50:00Z'),
    })
  })

  it('lists an installation by tags alone, so that a renamed node is not taken for gone', async () => {
    const list = nock(HOST.bcs)
      .get(listPath)
      .query((query) => query['name'] === undefined)
      .reply(200, aPage('instances', [anInstance(1, { name: 'renamed-in-the-console' }), anInstance(2)]))
    expect(idsOf(await aProvider().listNodes(ALL, aCall()))).to.deep.equal([NODE(1), NODE(2)])
    list.done()
  })

  it('lists two nodes of one name both: the caller decides', async () => {
    listAnswers([anInstance(1), anInstance(2, { name: `${OWNER.group}-1` })])
    expect(await aProvider().listNodes(ONE, aCall())).to.have.length(2)
  })

  it('keeps listing what says that it is deleted for as long as the operator lists it', async () => {
    listAnswers([anInstance(1, { status: 'deleted', vm_state: 'deleted' })])
    const nodes = await aProvider().listNodes(ONE, aCall())
    expect(nodes.map(({ state }) => state)).to.deep.equal(['deleting'])
  })

  it('takes all pages, each beginning with the last row of the one before', async () => {
    pageAt(0, rows(1, 2, 3), 5)
    pageAt(2, rows(3, 4, 5), 5)
    const nodes = await aProvider({ settings: { listLimit: 3 } }).listNodes(ALL, aCall())
    expect(idsOf(nodes)).to.deep.equal([1, 2, 3, 4, 5].map(NODE))
  })

  it('steps back when rows went meanwhile, and misses none that stayed', async () => {
    pageAt(0, rows(1, 2, 3), 6)
    pageAt(2, rows(5, 6), 4) // 1 and 2 have gone: 4 slipped in front of the offset
    pageAt(0, rows(3, 4, 5), 4)
    pageAt(2, rows(5, 6), 4)
    const nodes = await aProvider({ settings: { listLimit: 3 } }).listNodes(ALL, aCall())
    expect(idsOf(nodes)).to.include.members([3, 4, 5, 6].map(NODE))
  })

  it('steps back when rows went so that a page is empty', async () => {
    pageAt(0, rows(1, 2, 3), 4)
    pageAt(2, [], 2)
    pageAt(0, rows(3, 4), 2)
    const nodes = await aProvider({ settings: { listLimit: 3 } }).listNodes(ALL, aCall())
    expect(idsOf(nodes)).to.include.members([3, 4].map(NODE))
  })

  it('looks once more when fewer rows came than the total says', async () => {
    pageAt(0, rows(1, 2, 3), 4)
    pageAt(2, rows(3, 2), 4) // rows of one instant changed places
    pageAt(0, rows(1, 4, 3), 4)
    pageAt(2, rows(3, 2), 4)
    const nodes = await aProvider({ settings: { listLimit: 3 } }).listNodes(ALL, aCall())
    expect(idsOf(nodes).toSorted()).to.deep.equal([1, 2, 3, 4].map(NODE))
  })

  it('does not take a page shorter than asked for the last one', async () => {
    pageAt(0, rows(1, 2), 3)
    pageAt(1, rows(2, 3), 3)
    expect(await aProvider().listNodes(ALL, aCall())).to.have.length(3)
  })

  it('reads on until nothing new comes where no total is given', async () => {
    pageAt(0, rows(1, 2), null)
    pageAt(1, rows(2, 3), null)
    pageAt(2, rows(3), null)
    expect(await aProvider().listNodes(ALL, aCall())).to.have.length(3)
  })

  it('ends where neither a total nor pages are known, and every offset gives all rows', async () => {
    pageAt(0, rows(1, 2, 3), null)
    pageAt(2, rows(1, 2, 3), null)
    expect(await aProvider().listNodes(ALL, aCall())).to.have.length(3)
  })

  it('counts a row that comes twice once', async () => {
    pageAt(0, rows(1, 1), 2)
    pageAt(0, rows(1, 1), 2)
    expect(await aProvider().listNodes(ALL, aCall())).to.have.length(1)
  })

  it('calls a list without rows malformed where its total promises some', async () => {
    listAnswers([], 3)
    await rejectionOf('malformed', aProvider().listNodes(ALL, aCall()))
  })

  for (const [what, body] of [
    ['no JSON', '<html>'],
    ['empty', ''],
    ['null', 'null'],
    ['without instances', {}],
    ['with a row without an id', { instances: [{ name: 'x' }] }],
  ] as const) {
    it(`calls a list that is ${what} malformed, nothing done`, async () => {
      nock(HOST.bcs).get(listPath).query(true).reply(200, body)
      const error = await rejectionOf('malformed', aProvider().listNodes(ALL, aCall()))
      expect(error.effect).to.equal('none')
    })
  }

  it('gives up a list that never ends', async () => {
    let served = 0
    nock(HOST.bcs)
      .persist()
      .get(listPath)
      .query(true)
      .reply(200, () => {
        served += 1
        return aPage('instances', rows(served, served + 1), 1_000_000)
      })
    const error = await rejectionOf('malformed', aProvider().listNodes(ALL, aCall({ deadlineAt: NOW + 20_000 })))
    expect(error.effect).to.equal('none')
    expect(served).to.equal(500)
  }).timeout(20_000)
})

describe('failures of nodes at kakao', () => {
  onlyPreparedAnswers()
  beforeEach(() => {
    iamAnswers()
  })

  const failed = (n: number): object => anInstance(n, { status: 'error', vm_state: 'error' })
  const log = (n: number): nock.Interceptor => nock(HOST.bcs).get(`${listPath}/${NODE(n)}/action-logs`)
  /** Answers every log. @returns the nodes whose log was read, in order */
  const logsRead = (message: string): string[] => {
    const read: string[] = []
    nock(HOST.bcs)
      .persist()
      .get(/action-logs$/)
      .reply(200, (uri) => {
        read.push(uri.split('/').at(-2) ?? '')
        return actions(message)
      })
    return read
  }
  const actions = (message: string | null): object => ({
    actions: [{ action: 'create', request_id: 'req-1', start_time: '2026-12-01T00:00:00Z', message }],
  })

  it('are told in the words of the action log, asked for once', async () => {
    nock(HOST.bcs)
      .persist()
      .get(listPath)
      .query(true)
      .reply(200, aPage('instances', [failed(1), anInstance(2)]))
    const read = logsRead('disk controller not responding')
    const provider = aProvider()
    const first = await provider.listNodes(ALL, aCall())
    expect(first[0]?.failure).to.deep.equal({
      code: 'req-1',
      message: 'disk controller not responding',
      kind: 'fault',
    })
    expect(await provider.listNodes(ALL, aCall())).to.deep.equal(first)
    expect(read).to.deep.equal([NODE(1)])
  })

  it('are a want of room where the log says so', async () => {
    listAnswers([failed(1)])
    log(1).reply(200, actions('No valid host was found. There are not enough hosts available.'))
    const [node] = await aProvider().listNodes(ALL, aCall())
    expect(node?.failure?.kind).to.equal('out-of-capacity')
  })

  it('are what the configuration says where the log says nothing', async () => {
    for (const unexplainedFailure of ['fault', 'out-of-capacity']) {
      listAnswers([failed(1)])
      log(1).reply(200, actions(null))
      const [node] = await aProvider({ settings: { unexplainedFailure } }).listNodes(ALL, aCall())
      expect(node?.failure).to.include({ code: null, kind: unexplainedFailure })
      expect(node?.failure?.message).to.not.equal('')
    }
  })

  it('are looked up for a bounded number of nodes in one list, and for the others in the next', async () => {
    nock(HOST.bcs)
      .persist()
      .get(listPath)
      .query(true)
      .reply(200, aPage('instances', [1, 2, 3].map(failed)))
    const read = logsRead('x')
    const provider = aProvider({ settings: { failureLookups: 2 } })
    const nodes = await provider.listNodes(ALL, aCall())
    expect(nodes.map(({ failure }) => failure?.code)).to.deep.equal(['req-1', 'req-1', null])
    await provider.listNodes(ALL, aCall())
    expect(read).to.deep.equal([1, 2, 3].map(NODE))
  })

  it('are without a reason where the log is gone, and the next log is read', async () => {
    listAnswers([failed(1), failed(2)])
    log(1).reply(404, '')
    log(2).reply(200, actions('x'))
    const nodes = await aProvider().listNodes(ALL, aCall())
    expect(nodes.map(({ failure }) => failure?.code)).to.deep.equal([null, 'req-1'])
  })

  it('do not keep the list back when the log cannot be had', async () => {
    listAnswers([failed(1), failed(2)])
    log(1).reply(503, '')
    const nodes = await aProvider().listNodes(ALL, aCall())
    expect(nodes.map(({ state }) => state)).to.deep.equal(['failed', 'failed'])
  })
})
