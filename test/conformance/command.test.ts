/** `gpu-broker conformance`, from its options to its exit status and what it writes. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { CASES } from '../../broker/conformance/cases/all.ts'
import type { Report } from '../../broker/conformance/report.ts'
import { nhn } from '../../deploy/sandbox/nhn.ts'
import { sandboxSettings } from '../../deploy/sandbox/for-broker.ts'
import { cli } from '../cli/cli-world.ts'
import { startSandboxOperator } from '../contract/sandbox-operator.ts'

const MODULE = new URL('memory-module.ts', import.meta.url).pathname
const REGISTRY = new URL('../../adapters/registry.ts', import.meta.url).pathname
const PATIENCE = { callMs: 20_000, readyMs: 60_000, lookEveryMs: 5, graceMs: 5_000 }

const settings = (changes: object = {}) => ({
  provider: { id: 'memory', kind: 'memory', key: 'env:MEMORY_KEY', isBroken: false, ...changes },
  patience: PATIENCE,
})

const conformance = (config: object, ...args: readonly string[]) =>
  cli(['conformance', '--adapter', MODULE, '--config', 'provider.json', ...args], {
    files: { 'provider.json': JSON.stringify(config) },
    env: { MEMORY_KEY: 'from the file' },
  })

describe('gpu-broker conformance', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'conformance-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  it('lists its cases, one a line, without an adapter', async () => {
    const ran = await cli(['conformance', '--list'])
    expect(ran).to.include({ status: 0, err: '' })
    expect(ran.out.trimEnd().split('\n')).to.have.length(CASES.length)
    expect(ran.out).to.match(/^create-500: calls a 500 to a create unreachable, maybe done \[needs faults\]$/m)
  })

  it('tries what it is told, says a line for each case, and ends with 0 when all passed', async () => {
    const ran = await conformance(settings(), '--only', 'ping-answers,create-500')
    expect(ran.status).to.equal(0)
    expect(ran.err).to.match(/^passed {3}ping-answers: answers a ping \(\d+ ms\)$/m)
    expect(ran.err).to.match(/^skipped {2}create-500: .*\n {9}the target cannot inject faults/m)
    expect(ran.out).to.equal('memory at memory-1, provider contract 1, kit 1.2.0: 1 passed, 0 failed, 1 skipped\n')
  })

  it('says why a case failed with the contract’s own sentence, and ends with 1', async () => {
    const ran = await conformance(settings({ isBroken: true }), '--only', 'free-capacity-declared,ping-answers')
    expect(ran.status).to.equal(1)
    expect(ran.err).to.include('failed   free-capacity-declared: ')
    expect(ran.err).to.include('         freeCapacity is -1\n')
    expect(ran.err).to.include('         the contract: Free nodes in a cluster as the operator tells it')
  })

  it('writes a report with the versions of kit, contract and adapter, a page, and JUnit XML', async () => {
    const [json, html, junit] = ['out.json', 'out.html', 'out.xml'].map((name) => join(folder, name))
    const only = ['--only', 'ping-answers,free-capacity-declared,create-500']
    await conformance(settings({ isBroken: true }), ...only, '--report', json ?? '', '--junit', junit ?? '')
    await conformance(settings(), ...only, '--report', html ?? '')
    const report = JSON.parse(readFileSync(json ?? '', 'utf8')) as Report
    expect(report).to.deep.include({ kitVersion: '1.2.0', contractVersion: 1, complete: true })
    expect(report.adapter).to.include({ version: '0.0.7', providerId: 'memory', clusterId: 'memory-1' })
    expect(report.counts).to.deep.equal({ passed: 1, failed: 1, skipped: 1 })
    const xml = readFileSync(junit ?? '', 'utf8')
    expect(xml).to.include('tests="3" failures="1" errors="0" skipped="1"')
    expect(xml).to.include('<failure message="freeCapacity is -1">The contract: Free nodes')
    expect(readFileSync(html ?? '', 'utf8')).to.include('<h1>memory 0.0.7 passes</h1>')
  })

  it('ends with 2 and one sentence when it cannot be used like that', async () => {
    const wrong = [
      [await cli(['conformance']), 'it needs --adapter and --config'],
      [await conformance(settings(), '--only', 'no-such'), 'no case begins with "no-such"; --list shows them'],
      [await conformance({ provider: {} }), 'the configuration: '],
      [await conformance(settings({ key: 'env:NOT_SET' })), 'NOT_SET must be set in the environment'],
      [await conformance(settings({ isBroken: 'no' })), 'the adapter does not take these settings: '],
      [await conformance(settings(), '--report', 'out.txt'), '--report must end in .html or .json'],
    ] as const
    for (const [ran, sentence] of wrong) {
      expect(ran.status).to.equal(2)
      expect(ran.err).to.include(sentence).and.not.to.include('from the file')
    }
  })

  it('tries an adapter of this repository against the sandbox, faults and all, and leaves nothing behind', async () => {
    const operator = await startSandboxOperator(nhn)
    const urls = { naver: operator.url, nhn: operator.url, kakao: operator.url, identity: operator.url }
    const provider = sandboxSettings(urls).providers.find((one) => (one as { kind: string }).kind === 'nhn')
    const config = {
      provider: Object.assign({}, provider, { ratePerSecond: 5_000 }),
      patience: PATIENCE,
      faults: {
        controlUrl: `${operator.url}/_sandbox`,
        calls: {
          create: { method: 'POST', path: '/compute/v2/[^/]+/servers$' },
          list: { method: 'GET', path: '/compute/v2/[^/]+/servers/detail$' },
          remove: { method: 'DELETE', path: '/compute/v2/[^/]+/servers/[^/]+$' },
        },
      },
    }
    const args = ['--only', 'create-answer-lost,nothing-left,create-ten-times,quota', '--json']
    const ran = await cli(['conformance', '--adapter', REGISTRY, '--config', 'nhn.json', ...args], {
      files: { 'nhn.json': JSON.stringify(config) },
    })
    const standing = (await operator.ledger()).nodes.filter(({ deletedAt }) => deletedAt === null)
    await operator.close()
    expect(ran.status, ran.err).to.equal(0)
    expect((JSON.parse(ran.out) as Report).counts).to.deep.equal({ passed: 7, failed: 0, skipped: 0 })
    expect(standing).to.deep.equal([])
  })
})
