/** The API over HTTP, with its own examples for answers, and the command line in front of it. */
import { after, before, beforeEach } from 'mocha'
import { type TestServer, startServer } from '../support/http-server.ts'
import { type CliWorld, type Ran, at, cli } from './cli-world.ts'

export interface Served {
  /** What was asked for since the test began. */
  readonly calls: TestServer['calls']
  run(args: readonly string[], files?: CliWorld['files']): Promise<Ran>
}

/** For all tests of the `describe` in which it is called. */
export function servedExamples(): Served {
  let server: TestServer
  before(async () => {
    server = await startServer()
  })
  after(() => server.close())
  beforeEach(() => {
    server.calls.length = 0
  })
  return {
    get calls() {
      return server.calls
    },
    run: (args, files = {}) => cli(args, { ...at(`http://127.0.0.1:${server.port}`), files }),
  }
}
