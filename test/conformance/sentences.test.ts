import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { SAYS } from '../../broker/conformance/sentences.ts'

/** Comments as running text: no stars, no line breaks, one kind of apostrophe. */
const running = (text: string): string =>
  text
    .replaceAll(/^\s*(\*|\/\*\*|\/\/)/gm, ' ')
    .replaceAll('’', "'")
    .replaceAll(/\s+/g, ' ')

const CONTRACT = ['provider.ts', 'provider-error.ts']
  .map((file) => running(readFileSync(new URL(`../../shared/${file}`, import.meta.url), 'utf8')))
  .join(' ')

describe('the sentences that cases stand for', () => {
  for (const [name, sentence] of Object.entries(SAYS)) {
    it(`stand in the contract word for word: ${name}`, () => {
      expect(CONTRACT).to.include(running(sentence))
    })
  }
})
