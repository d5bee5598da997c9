/** The package as others get it: packed, unpacked into a project that is not ours, type-checked there and run. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { before, describe, it } from 'mocha'
import { EXAMPLE, WHAT_IT_SAYS, runNode } from '../client/guide-example.ts'
import { START_WITHIN_MS, type TestBroker, startTestBroker } from '../support/broker.ts'
import { endsInTheEnd } from '../support/ends.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PACK_WITHIN_MS = 300_000
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc')

const TSCONFIG = {
  compilerOptions: { module: 'NodeNext', target: 'ES2024', strict: true, noEmit: true, types: ['node'] },
  include: ['*.ts'],
}

/** Compiles only if these are errors: the types are no `any`. */
const WRONG_CALLS = `
import { type Allocation, createClient, fixedToken } from 'gpu-broker/client'
const client = createClient({ baseUrl: 'http://127.0.0.1:1', tokens: fixedToken('t') })
// @ts-expect-error a request without its members
export const create = () => client.createAllocation({ name: 'n' })
// @ts-expect-error a status that there is not
export const list = () => client.listAllocations({ status: 'lost' })
// @ts-expect-error a member that an allocation does not have
export const wrong = (one: Allocation) => one.clusterId
`

/** A project with nothing but the package and what it depends on. */
function makeProject(folder: string): void {
  const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  const own = join(folder, 'node_modules/gpu-broker')
  mkdirSync(own, { recursive: true })
  const tarball = join(folder, packed.trim().split('\n').at(-1) ?? '')
  execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', own])
  const { dependencies } = JSON.parse(readFileSync(join(own, 'package.json'), 'utf8')) as { dependencies: object }
  for (const name of [...Object.keys(dependencies), '@types/node', 'undici-types']) {
    const place = join(folder, 'node_modules', name)
    mkdirSync(dirname(place), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules', name), place)
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG))
  writeFileSync(join(folder, 'example.ts'), EXAMPLE)
  writeFileSync(join(folder, 'wrong-calls.ts'), WRONG_CALLS)
}

describe('the package in a project that is not ours', () => {
  const ends = endsInTheEnd()
  let folder: string
  let broker: TestBroker
  before(async function pack() {
    this.timeout(PACK_WITHIN_MS + START_WITHIN_MS)
    folder = mkdtempSync(join(tmpdir(), 'gpu-broker-package-'))
    ends(() => rmSync(folder, { recursive: true }))
    makeProject(folder)
    broker = await startTestBroker({ engine: 'pglite' })
    ends(() => broker.stop())
  })

  it('type-checks a program that calls a broker, and refuses one that calls it wrongly', async function check() {
    this.timeout(PACK_WITHIN_MS)
    const { status, out } = await runNode([TSC], { cwd: folder })
    expect(status, out).to.equal(0)
  })

  it('runs the program that the page about the client shows', async function run() {
    this.timeout(60_000)
    const env = { BROKER_URL: broker.url, BROKER_ISSUER: broker.sandbox.identityUrl }
    const { status, out, err } = await runNode(['example.ts'], { cwd: folder, env })
    expect(status, err).to.equal(0)
    expect(out).to.match(WHAT_IT_SAYS)
  })

  it('is entered by what it exports, and by nothing else', async () => {
    const { err } = await runNode(['--input-type=module', '-e', "import 'gpu-broker/dist/broker/main.js'"], {
      cwd: folder,
    })
    expect(err).to.include('ERR_PACKAGE_PATH_NOT_EXPORTED')
  })

  it('has the command line', async () => {
    const { status, out } = await runNode(['node_modules/gpu-broker/dist/broker/cli/main.js', '--help'], {
      cwd: folder,
    })
    expect(status).to.equal(0)
    expect(out).to.include('Usage: gpu-broker')
  })
})
