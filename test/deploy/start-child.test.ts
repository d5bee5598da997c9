import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { type Child, ChildError, type ChildOptions, startChild } from '../../deploy/start-child.ts'
import { fixtureOptions, urlOf } from './child-options.ts'
import { freePort } from '../support/free-port.ts'

const LIMIT_MS = 40_000

describe('a service as a child process', function () {
  this.timeout(LIMIT_MS)
  let folder = ''
  let port = 0
  let child: Child | null = null

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gpu-broker-child-'))
    port = await freePort()
  })
  afterEach(async () => {
    await child?.stop()
    child = null
    rmSync(folder, { recursive: true, force: true })
  })

  function start(env: Readonly<Record<string, string>> = {}, changes: Partial<ChildOptions> = {}): Child {
    child = startChild({ ...fixtureOptions({ folder, port, env }), ...changes })
    return child
  }

  it('is ready once it answers, writes to its log file, and is gone once it has stopped', async () => {
    const started = start({ FIXTURE_NAME: 'first' })
    await started.ready()
    expect(await answers(port)).to.be.true
    expect(readFileSync(join(folder, 'logs', 'fixture.log'), 'utf8')).to.equal('the fixture runs as first\n')
    await started.stop()
    expect(await answers(port)).to.be.false
    await started.stop()
  })

  it('is made to stop when it does not do so in time', async () => {
    const started = start({ FIXTURE_STUBBORN: 'yes' }, { stopWithinMs: 50 })
    await started.ready()
    await started.stop()
    expect(await answers(port)).to.be.false
  })

  it('tells its last lines, of this run only, when it ends by itself', async () => {
    await start({ FIXTURE_FAILS: 'yes', FIXTURE_NAME: 'an earlier run' }).died
    const again = start({ FIXTURE_FAILS: 'yes', FIXTURE_NAME: 'this run' })
    const failure: unknown = await again.ready().catch((error: unknown) => error)
    expect(failure).to.be.instanceOf(ChildError)
    const told = await again.died
    expect(failure).to.have.property('message', told)
    expect(told).to.equal(
      `The fixture ended (status 7). Its last lines, from ${join(folder, 'logs', 'fixture.log')}:\n  the fixture runs as this run\n  something is wrong`,
    )
  })

  it('is not waited for longer than it may take', async () => {
    const failure: unknown = await start({}, { readyUrl: urlOf(1), readyWithinMs: 1 })
      .ready()
      .catch((error: unknown) => error)
    expect(failure).to.be.instanceOf(ChildError).with.property('message').that.includes('did not answer within')
  })

  it('does not outlive the process that started it, however that ended', async () => {
    const parent = spawn(
      process.execPath,
      [fileURLToPath(new URL('parent-fixture.ts', import.meta.url)), folder, String(port)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const failed = once(parent, 'exit').then(() => expect.fail('the parent ended before its child was ready'))
    await Promise.race([once(parent.stdout, 'data'), failed])
    expect(await answers(port)).to.be.true
    parent.kill('SIGKILL')
    while (await answers(port)) await pause(20) // bounded by the test's own limit
  })
})

async function answers(port: number): Promise<boolean> {
  try {
    return (await fetch(urlOf(port), { headers: { connection: 'close' } })).ok
  } catch {
    return false
  }
}
