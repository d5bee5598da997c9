/**
 * A whole broker of this process in front of three operators of its own, for all tests of one `describe`: started before
 * the first of them. After each the operators are as on their best day again, and after the last one nothing is left there.
 */
import { afterEach, before } from 'mocha'
import { approve } from '../api/requests.ts'
import type { ApiClient } from '../support/api-client.ts'
import { START_WITHIN_MS, startTestBroker, type TestBroker, type TestBrokerOptions } from '../support/broker.ts'
import { endsInTheEnd } from '../support/ends.ts'
import { type Operators, startOperators } from './operators.ts'

/** Its members can be had once the tests run. */
export interface World {
  readonly operators: Operators
  readonly broker: TestBroker
  readonly platform: ApiClient
  /** For tests that do not care whose nodes they get. */
  readonly approvalId: string
}

interface WorldOptions extends Omit<TestBrokerOptions, 'sandbox'> {
  /** Nodes that were made by hand stay when the tests end. */
  readonly leavesNodes?: boolean
}

/** Called in a `describe`, because it says what is done before and after its tests. */
export function brokerAtOperators({ leavesNodes = false, ...options }: WorldOptions = {}): World {
  let started: World | null = null
  const world = (): World => {
    if (started === null) throw new Error('it is started before the first test')
    return started
  }
  const ends = endsInTheEnd(START_WITHIN_MS)
  before(async function start() {
    this.timeout(START_WITHIN_MS)
    const operators = await startOperators()
    ends(() => operators.close())
    const broker = await startTestBroker({ ...options, sandbox: operators })
    ends(() => broker.stop())
    if (!leavesNodes) ends(() => operators.untilNothingIsLeft())
    const platform = await broker.as('platform')
    started = { operators, broker, platform, approvalId: await approve(platform) }
  })
  afterEach(() => world().operators.calm())
  return {
    get operators() {
      return world().operators
    },
    get broker() {
      return world().broker
    },
    get platform() {
      return world().platform
    },
    get approvalId() {
      return world().approvalId
    },
  }
}
