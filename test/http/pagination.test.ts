import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { decodeCursor, encodeCursor, pageBody, pageOfWhole, pageRequest } from '../../broker/http/pagination.ts'
import { refusalOf } from '../support/refusal-of.ts'

const badCursor = (act: () => unknown): void => {
  expect(refusalOf(act)).to.deep.include({ code: 'invalid-request' })
  expect(refusalOf(act).members['errors']).to.have.nested.property('[0].pointer', '/cursor')
}

describe('cursors', () => {
  it('bring back what they were made of, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (after) => {
        expect(decodeCursor('list', encodeCursor('list', after))).to.equal(after)
      }),
    )
  })

  it('are safe in a URL as they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (after) => /^[A-Za-z0-9_-]+$/.test(encodeCursor('list', after))),
    )
  })

  it('are refused on another list', () => badCursor(() => decodeCursor('approvals', encodeCursor('allocations', '1'))))

  it('are refused when any one character was changed', () => {
    const cursor = encodeCursor('list', '2026-12-01T00:00:00Z alc_abcdefghijklmnop')
    for (let at = 0; at < cursor.length; at += 1) {
      const other = cursor[at] === 'A' ? 'B' : 'A'
      badCursor(() => decodeCursor('list', cursor.slice(0, at) + other + cursor.slice(at + 1)))
    }
  })

  it('are refused when cut, prolonged or padded', () => {
    const cursor = encodeCursor('list', '1')
    for (const other of [cursor.slice(1), cursor.slice(0, -1), `${cursor}A`, `${cursor}=`, ` ${cursor}`, 'null']) {
      badCursor(() => decodeCursor('list', other))
    }
  })
})

describe('pages', () => {
  it('have 50 items unless asked otherwise', () => {
    expect(pageRequest('list', {})).to.deep.equal({ limit: 50, after: null })
    expect(pageRequest('list', { limit: 500 })).to.deep.equal({ limit: 500, after: null })
  })

  it('end without a cursor', () => {
    expect(pageBody('list', { items: [1], next: null })).to.deep.equal({ items: [1], nextCursor: null })
  })

  it('of a whole list cover it once, in order, for every size', () => {
    const whole = [1, 2, 3, 4, 5, 6, 7]
    for (let limit = 1; limit <= 8; limit += 1) {
      const seen: number[] = []
      let cursor: string | undefined
      for (let pages = 0; pages < 8; pages += 1) {
        const page = pageOfWhole('list', whole, { limit, cursor })
        seen.push(...page.items)
        if (page.nextCursor === null) break
        cursor = page.nextCursor
      }
      expect(seen).to.deep.equal(whole)
    }
  })

  it('of a whole list refuse a cursor that is no place in it', () => {
    badCursor(() => pageOfWhole('list', [1], { cursor: encodeCursor('list', '-1') }))
    badCursor(() => pageOfWhole('list', [1], { cursor: encodeCursor('list', 'x') }))
  })
})
