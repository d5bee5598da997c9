/** A type of event that nothing writes is a promise to consumers that nobody keeps. */
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { EVENT_TYPES } from '../shared/event.ts'
import { readSources } from './support/sources.ts'

const WRITERS = readSources(['broker/app', 'broker/core'])

describe('the types of events', () => {
  for (const type of EVENT_TYPES) {
    it(`${type} is written where its change is decided`, () => {
      expect(WRITERS.filter(({ code }) => code.includes(`'${type}'`)).map(({ file }) => file)).to.not.deep.equal([])
    })
  }
})
