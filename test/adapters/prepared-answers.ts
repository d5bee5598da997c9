/** For tests that answer in an operator's place. */
import { afterEach, beforeEach } from 'mocha'
import nock from 'nock'

/** The network is off while a test runs, and what was prepared for it is forgotten afterwards. Called in a `describe`. */
export function onlyPreparedAnswers(): void {
  beforeEach(() => nock.disableNetConnect())
  afterEach(() => {
    nock.cleanAll()
    nock.enableNetConnect()
  })
}
