import { expect } from 'chai'
import { describe, it } from 'mocha'
import { dueNotice, nextNoticeAt, type Term } from '../../broker/core/ending.ts'
import { DAY_MS } from '../../shared/time.ts'

const END = 100 * DAY_MS
const term = (changes: Partial<Term> = {}): Term => ({ startAt: 0, endAt: END, toldAt: null, ...changes })
const daysTold = (of: Term, now: number): number | null => dueNotice(of, now)?.days ?? null

describe('notice of an end', () => {
  it('is due 7 days and 1 day before it, each once', () => {
    expect(nextNoticeAt(term(), 0)).to.equal(END - 7 * DAY_MS)
    expect(daysTold(term(), END - 7 * DAY_MS - 1)).to.equal(null)
    expect(daysTold(term(), END - 7 * DAY_MS)).to.equal(7)
    const told = term({ toldAt: END - 7 * DAY_MS })
    expect(daysTold(told, END - 2 * DAY_MS)).to.equal(null)
    expect(nextNoticeAt(told, END - 2 * DAY_MS)).to.equal(END - DAY_MS)
    expect(daysTold(told, END - DAY_MS)).to.equal(1)
    expect(daysTold(term({ toldAt: END - DAY_MS }), END - 1)).to.equal(null)
  })

  it('is given once where both are late, and not after the end', () => {
    expect(daysTold(term(), END - 1)).to.equal(1)
    expect(daysTold(term(), END)).to.equal(null)
  })

  it('is not given of more time than there ever was', () => {
    expect(daysTold(term({ startAt: END - 3 * DAY_MS }), END - 2 * DAY_MS)).to.equal(null)
    expect(daysTold(term({ startAt: END - 3 * DAY_MS }), END - DAY_MS)).to.equal(1)
    expect(nextNoticeAt(term({ startAt: END - 1 }), END - 1)).to.equal(null)
  })

  it('is given again of an end that has moved later', () => {
    expect(daysTold(term({ endAt: END + 30 * DAY_MS, toldAt: END - DAY_MS }), END + 23 * DAY_MS)).to.equal(7)
  })
})
