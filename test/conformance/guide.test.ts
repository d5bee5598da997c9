/** docs/adding-a-provider.md is followed as it stands, so that the page cannot lie; only the port is a free one. */
import { spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { delimiter, dirname } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { after, describe, it } from 'mocha'
import { freePort } from '../support/free-port.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PAGE = readFileSync(`${ROOT}/docs/adding-a-provider.md`, 'utf8')
const WRITTEN = ['.conformance.html', '.conformance.xml'].map((name) => `${ROOT}/${name}`)
const ALL_PASSED = /`(moonrabbit at .*: \d+ passed, 0 failed, 0 skipped)`/

/** All of the page's `sh` blocks as one script, which takes what it started along when it ends. */
async function follow(
  page: string,
): Promise<{ readonly status: number | null; readonly out: string; readonly err: string }> {
  const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, commands = '']) => commands)
  const script = ["trap 'kill $(jobs -p)' EXIT", ...blocks].join('\n')
  const path = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`
  const shell = spawn('bash', ['-euo', 'pipefail', '-c', script], { cwd: ROOT, env: { ...process.env, PATH: path } })
  const ended = new Promise<number | null>((resolve) => shell.once('close', resolve))
  const [out, err] = await Promise.all([text(shell.stdout), text(shell.stderr)])
  return { status: await ended, out, err }
}

describe('the guide to adding a provider', () => {
  after(() => {
    for (const file of WRITTEN) rmSync(file, { force: true })
  })

  it('leads from a server that is started to a kit that passes, by the commands on the page', async function guide() {
    this.timeout(480_000) // a minute by itself, and as much more as others leave of the machine
    const { status, out, err } = await follow(PAGE.replaceAll('8300', String(await freePort())))
    expect(status, err).to.equal(0)
    expect(out).to.include('"contractVersion":1')
    expect(out).to.include(`\n${ALL_PASSED.exec(PAGE)?.[1] ?? 'the page says no result'}\n`)
    for (const file of WRITTEN) expect(readFileSync(file, 'utf8')).to.include('create-ten-times')
  })
})
