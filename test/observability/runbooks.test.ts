/** The commands of the runbooks work as they stand: each page is pasted into a shell of its own, after what sets that up. */
import { expect } from 'chai'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { before, describe, it } from 'mocha'
import { ROOT } from '../run-part.ts'
import { PAGES, pageFile, setUpBlocks, shellBlocks } from './runbooks.ts'
import { endsInTheEnd } from '../support/ends.ts'
import { sharedWorld, type World } from './world.ts'

const STARTS_WITHIN_MS = 300_000
const PAGE_WITHIN_MS = 60_000

describe('the commands of the runbook', function () {
  this.timeout(PAGE_WITHIN_MS * 2)
  let world: World
  let folder: string

  const ends = endsInTheEnd()
  before(async function start() {
    this.timeout(STARTS_WITHIN_MS)
    world = await sharedWorld()
    folder = await mkdtemp(join(tmpdir(), 'gpu-broker-runbooks-'))
    ends(() => rm(folder, { recursive: true, force: true }))
    // The command as a package installs it, on these sources.
    const program = join(folder, 'gpu-broker')
    await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${join(ROOT, 'broker', 'cli', 'main.ts')}' "$@"\n`)
    await chmod(program, 0o755)
  })

  async function paste(blocks: readonly string[]): Promise<{ readonly status: number | null; readonly said: string }> {
    const child = spawn('bash', ['-euo', 'pipefail', '-c', blocks.join('\n')], {
      cwd: folder,
      env: {
        PATH: [folder, process.env['PATH'] ?? ''].join(delimiter),
        HOME: folder,
        GPU_BROKER_URL: world.broker.url,
        GPU_BROKER_ISSUER: world.operators.identityUrl,
        GPU_BROKER_CLIENT_SECRET: 'platform-secret',
        PROMETHEUS_URL: world.prometheus.url,
        SANDBOX_PORT: '1', // for `gpu-broker config`, which wants to know what stands in for the operators
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: PAGE_WITHIN_MS,
    })
    const said: string[] = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece: Buffer) => said.push(String(piece)))
    const [status] = (await once(child, 'close')) as [number | null]
    return { status, said: said.join('') }
  }

  for (const slug of PAGES.en) {
    it(`${slug} work as they stand`, async () => {
      const { status, said } = await paste([...setUpBlocks(), ...shellBlocks(pageFile(slug, 'en'))])
      expect(status, said).to.equal(0)
      expect(said).not.to.equal('')
    })
  }

  it('would not, if one of them were mistaken', async () => {
    expect((await paste([...setUpBlocks(), 'gpu-broker sweep shows nhn'])).status).to.not.equal(0)
    expect((await paste([...setUpBlocks(), 'gpu-broker providers get nobody'])).status).to.not.equal(0)
  })
})
