import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { createLive } from '../../broker/cli/screen/live.ts'
import { terminalOf } from '../../broker/cli/screen/terminal.ts'
import { table } from '../../broker/cli/screen/table.ts'
import { cutTo, fitTo, widthOf } from '../../broker/cli/screen/width.ts'
import { duration } from '../../broker/cli/screen/words.ts'

describe('the width of a text', () => {
  it('is two cells for each Korean, Chinese or Japanese character, composed or not', () => {
    expect(widthOf('KAIST')).to.equal(5)
    expect(widthOf('한국')).to.equal(4)
    expect(widthOf('한국'.normalize('NFD'))).to.equal(4)
    expect(widthOf('漢字かな')).to.equal(8)
    expect(widthOf('é'.normalize('NFD'))).to.equal(1)
    expect(widthOf('🚀')).to.equal(2)
  })

  it('does not count colours', () => {
    expect(widthOf('\u001b[31mred\u001b[39m')).to.equal(3)
  })

  it('is never more than asked for once the text is cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 20 }), (text, cells) => {
        expect(widthOf(cutTo(cells, text))).to.be.at.most(cells)
        expect(widthOf(fitTo(cells, text))).to.equal(cells)
      }),
    )
  })

  it('leaves a sign where a text was cut', () => {
    expect(cutTo(5, '한국과학기술원')).to.equal('한국…')
    expect(cutTo(5, 'KAIST')).to.equal('KAIST')
  })
})

describe('a table', () => {
  it('is aligned whatever the width of its characters, and ends no line with blanks', () => {
    const text = table<readonly [string, number]>(
      [
        { head: '기관', value: ([name]) => name },
        { head: 'n', align: 'right', value: ([, value]) => value },
        { head: 'rest', value: () => '' },
      ],
      [
        ['한국과학기술원', 5],
        ['abc', 255],
      ],
    )
    expect(text).to.equal('기관              n  rest\n한국과학기술원    5\nabc             255\n')
  })
})

describe('lines that change in place', () => {
  it('take the place of those before, and are cut rather than wrapped', () => {
    let written = ''
    const live = createLive({
      write: (text) => {
        written += text
      },
      writeError: () => {},
      isInteractive: true,
      hasColor: false,
      columns: 8,
    })
    live.show(['one', 'a long line'])
    live.show(['two'])
    live.leave()
    live.show(['below'])
    const up = '\u001b[1A\u001b[2K'
    expect(written).to.equal(`one\na long…\n${up}${up}two\nbelow\n`)
  })
})

describe('a duration', () => {
  it('is told in two figures at most', () => {
    const told = [420, 2_100, 59_940, 185_000, 15_000_000, 1_047_600_000, 7_200_000].map(duration)
    expect(told).to.deep.equal(['420 ms', '2.1 s', '59.9 s', '3 min 5 s', '4 h 10 min', '12 d 3 h', '2 h'])
  })
})

describe('a terminal', () => {
  const stream = { write: () => true, isTTY: true, columns: 90, hasColors: () => true }
  const of = (stdout: object, env: Readonly<Record<string, string>>) =>
    terminalOf({ stdout: { write: () => true, ...stdout }, stderr: stream, env })

  it('has colours and moving lines only where a person looks and wants them', () => {
    expect(of(stream, {})).to.deep.include({ isInteractive: true, hasColor: true, columns: 90 })
    expect(of(stream, { NO_COLOR: '1' })).to.deep.include({ isInteractive: true, hasColor: false })
    expect(of(stream, { TERM: 'dumb' })).to.deep.include({ isInteractive: false, hasColor: false })
    expect(of({}, {})).to.deep.include({ isInteractive: false, hasColor: false, columns: 100 })
  })
})
