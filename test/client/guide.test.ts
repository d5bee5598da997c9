import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { START_WITHIN_MS, type TestBroker, startTestBroker } from '../support/broker.ts'
import { EXAMPLE, WHAT_IT_SAYS, runNode } from './guide-example.ts'

const CLIENT = new URL('../../broker/client/index.ts', import.meta.url).href

describe('the page about the client', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gpu-broker-guide-'))
  let broker: TestBroker
  before(async function start() {
    this.timeout(START_WITHIN_MS)
    broker = await startTestBroker({ engine: 'pglite' })
  })
  after(async () => {
    await broker.stop()
    rmSync(folder, { recursive: true })
  })

  it('shows a program that does what it says', async function run() {
    this.timeout(60_000)
    const file = join(folder, 'example.ts')
    writeFileSync(file, EXAMPLE.replace('gpu-broker/client', CLIENT))
    const env = { BROKER_URL: broker.url, BROKER_ISSUER: broker.sandbox.identityUrl }
    const { status, out, err } = await runNode([file], { env })
    expect(status, err).to.equal(0)
    expect(out).to.match(WHAT_IT_SAYS)
  })
})
