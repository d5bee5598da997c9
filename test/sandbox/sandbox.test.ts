import { expect } from 'chai'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, it } from 'mocha'
import { startSandbox } from '../../deploy/sandbox/sandbox.ts'
import { freePort } from '../support/free-port.ts'

/** A process of its own, on a machine that has other things to do, too. */
const STARTS_WITHIN_MS = 60_000
const MAIN = new URL('../../deploy/sandbox/main.ts', import.meta.url).pathname

describe('the sandbox', () => {
  it('has four services, each at an address of its own', async () => {
    const sandbox = await startSandbox({ port: 0 })
    try {
      for (const { url } of [sandbox.naver, sandbox.nhn, sandbox.kakao]) {
        expect(await (await fetch(`${url}/_sandbox/ledger`)).json()).to.deep.equal({ nodes: [], others: [] })
      }
      expect((await fetch(`${sandbox.identity.url}/.well-known/openid-configuration`)).status).to.equal(200)
    } finally {
      await sandbox.close()
    }
  })

  it('starts nothing when one of its ports is taken', async () => {
    const port = await freePort()
    const blocker = createServer().listen(port, '127.0.0.1')
    await once(blocker, 'listening')
    const first = port - 1 // the blocker stands where nhn would
    const failure = await startSandbox({ port: first }).catch((error: { code: string }) => error.code)
    expect(failure).to.equal('EADDRINUSE')
    const refused = await fetch(`http://127.0.0.1:${first}/_sandbox/ledger`).catch(
      (error: Error) => (error.cause as { code: string }).code,
    )
    expect(refused).to.equal('ECONNREFUSED')
    blocker.close()
  })

  it('as a process names its services, and ends in order when told to stop', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'sandbox-'))
    const child = spawn(process.execPath, [MAIN], {
      env: { ...process.env, SANDBOX_PORT: '0', SANDBOX_DIR: dir },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const names: string[] = []
    for await (const line of createInterface({ input: child.stdout })) {
      names.push(line.split(/\s+/)[1] ?? '')
      if (names.length === 4) child.kill('SIGTERM')
    }
    if (child.exitCode === null) await once(child, 'exit')
    expect([names, child.exitCode]).to.deep.equal([['naver', 'nhn', 'kakao', 'identity'], 0])
    await rm(dir, { recursive: true })
  }).timeout(STARTS_WITHIN_MS)

  it('as a process refuses a knob that is no number, in one line', async () => {
    const child = spawn(process.execPath, [MAIN], {
      env: { ...process.env, SANDBOX_RATE: 'fast' },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const lines: string[] = []
    for await (const line of createInterface({ input: child.stderr })) lines.push(line)
    if (child.exitCode === null) await once(child, 'exit')
    expect(lines).to.deep.equal([
      'The sandbox could not start: SANDBOX_RATE must be a number from 0 to 1000000, not "fast"',
    ])
    expect(child.exitCode).to.equal(1)
  }).timeout(STARTS_WITHIN_MS)
})
