import { expect } from 'chai'
import { describe, it } from 'mocha'
import { type Ledgers, ledgerTable, nodesStanding, standing, sumsOf } from '../../deploy/tour-ledgers.ts'

const entry = (id: string, deletedAt: string | null, name = id) => ({ id, name, deletedAt })
const GONE = '2026-11-24T09:00:00Z'

const LEDGERS: Ledgers = {
  naver: { nodes: [entry('a', GONE)], others: [entry('script', GONE)] },
  nhn: { nodes: [entry('b', null, 'gbabcdefghijklmnop-000-1'), entry('c', GONE)], others: [entry('disk', null)] },
  kakao: { nodes: [], others: [] },
}

describe('the operators’ ledgers', () => {
  it('are summed by operator and in all, nodes apart from the rest', () => {
    expect(sumsOf(LEDGERS, new Set())).to.deep.equal([
      { operator: 'naver', nodes: { built: 1, deleted: 1, left: 0 }, others: { built: 1, deleted: 1, left: 0 } },
      { operator: 'nhn', nodes: { built: 2, deleted: 1, left: 1 }, others: { built: 1, deleted: 0, left: 1 } },
      { operator: 'kakao', nodes: { built: 0, deleted: 0, left: 0 }, others: { built: 0, deleted: 0, left: 0 } },
      { operator: 'all', nodes: { built: 3, deleted: 2, left: 1 }, others: { built: 2, deleted: 1, left: 1 } },
    ])
  })

  it('leave out what stood before for somebody else', () => {
    expect(standing(LEDGERS)).to.deep.equal(new Set(['b', 'disk']))
    expect(sumsOf(LEDGERS, standing(LEDGERS)).at(-1)).to.deep.equal({
      operator: 'all',
      nodes: { built: 2, deleted: 2, left: 0 },
      others: { built: 1, deleted: 1, left: 0 },
    })
  })

  it('tell which nodes stand for an allocation, by their names', () => {
    expect(nodesStanding(LEDGERS.nhn, 'alc_abcdefghijklmnop')).to.deep.equal(new Set(['b']))
    expect(nodesStanding(LEDGERS.nhn, 'alc_qrstuvwxyz234567')).to.deep.equal(new Set())
  })

  it('are shown with one line each', () => {
    expect(ledgerTable(sumsOf(LEDGERS, new Set())).trimEnd().split('\n')).to.have.length(5)
  })
})
