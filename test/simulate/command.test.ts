import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { POLICY_NAMES } from '../../broker/simulate/scheduler.ts'
import { cli } from '../cli/cli-world.ts'

const KALOS = new URL('traces/kalos-completed.csv.gz', import.meta.url).pathname
const FIGURES = [
  'meanWaitHours',
  'p95WaitHours',
  'boundedSlowdown',
  'bigMeanWaitHours',
  'bigP95WaitHours',
  'use',
  'fits255',
  'fits510',
  'promisesSlipped',
]

interface Answer {
  readonly trace: string
  readonly load: number
  readonly seed: number
  readonly policies: readonly Readonly<Record<string, unknown>>[]
}

const json = async (...args: string[]): Promise<Answer> => {
  const ran = await cli(['simulate', KALOS, '--requests', '60', '--json', ...args])
  expect([ran.status, ran.err]).to.deep.equal([0, ''])
  return JSON.parse(ran.out) as Answer
}

describe('gpu-broker simulate', () => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'simulate-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }

  it('answers a program with the trace, the load, the seed and the figures of five policies, and nothing else', async () => {
    const answer = await json('--requests', '319', '--load', '0.9', '--seed', '3')
    expect(Object.keys(answer)).to.deep.equal(['trace', 'load', 'seed', 'policies'])
    expect(answer).to.deep.include({ trace: 'kalos-completed.csv.gz', load: 0.9, seed: 3 })
    expect(answer.policies.map((policy) => policy['name'])).to.deep.equal([...POLICY_NAMES])
    for (const policy of answer.policies) {
      expect(Object.keys(policy)).to.deep.equal(['name', ...FIGURES])
      for (const figure of FIGURES) expect(policy[figure], figure).to.be.a('number')
    }
  })

  it('answers the same for the same seed', async () => {
    const args = ['--load', '0.9', '--seed', '3', '--offset', '40']
    expect(await json(...args)).to.deep.equal(await json(...args))
    expect(await json(...args, '--seed', '4')).to.not.deep.equal(await json(...args))
  })

  it('calls a stretched trace synthetic', async () => {
    expect((await json('--stretch', 'r1')).trace).to.equal('kalos-completed.csv.gz, stretched by r1 (synthetic)')
  })

  it('shows people a table, and how far it is on the side', async () => {
    const { status, out, err } = await cli(['simulate', KALOS, '--requests', '30', '--load', '0.9'])
    expect(status).to.equal(0)
    expect(out).to.match(/^kalos-completed\.csv\.gz: 30 requests; load 0\.90, seed 1\n\npolicy +mean wait h/)
    for (const name of POLICY_NAMES) {
      expect(out).to.match(new RegExp(`^${name} +\\d+\\.\\d +`, 'm'))
      expect(err).to.include(`${name}: 30 of 30\n`)
    }
  })

  it('grows a bar for somebody who looks', async () => {
    const { out } = await cli(['simulate', KALOS, '--requests', '60'], { isInteractive: true })
    expect(out).to.match(/fcfs +█+░+ {2}40 of 60\n/)
    expect(out).to.match(/fcfs +█{24} {2}60 of 60\n/)
  })

  it('writes a page with the figures that it tells', async () => {
    const path = join(folder, 'out.html')
    const answer = await json('--load', '0.9', '--report', path)
    const page = readFileSync(path, 'utf8')
    expect(page)
      .to.match(/^<!doctype html>/)
      .and.include('</html>')
    for (const { meanWaitHours } of answer.policies)
      expect(page).to.include(`<td>${Number(meanWaitHours).toFixed(1)}</td>`)
  })

  it('takes another inventory, phases included, and another policy', async () => {
    const inventory = JSON.parse(readFileSync(new URL('../../deploy/inventory.json', import.meta.url), 'utf8')) as {
      readonly clusters: readonly object[]
    }
    const clusters = inventory.clusters.map((cluster) => ({ ...cluster, turnoverSeconds: 0 }))
    const quick = file('inventory.json', JSON.stringify({ ...inventory, clusters }))
    const policy = file('policy.json', JSON.stringify({ weights: { fit: 0, energy: 9 } }))
    const window = ['--requests', '319', '--load', '0.9', '--from', '2026-12-30']
    const plain = await json(...window)
    const meanOf = ({ policies }: Answer, at: number): number => Number(policies[at]?.['meanWaitHours'])
    expect(meanOf(await json(...window, '--inventory', quick), 1)).to.be.below(meanOf(plain, 1))
    const other = await json(...window, '--policy', policy)
    expect(other.policies.slice(1)).to.deep.equal(plain.policies.slice(1))
    expect(other.policies[0]).to.not.deep.equal(plain.policies[0])
  })

  for (const [says, args, message] of [
    ['a trace that is not there', () => ['no-such.csv'], /no-such\.csv: ENOENT/],
    ['a trace in no format', () => [file('no.csv', 'hello')], /no\.csv: line 1: "hello" is no number/],
    ['a packed trace that is damaged', () => [file('no.gz', '\u001f\u008b nothing')], /no\.gz: /],
    [
      'a policy that is none',
      () => [KALOS, '--policy', file('p.json', '{"luck":1}')],
      /p\.json: the policy: has no luck/,
    ],
    ['a policy that is no JSON', () => [KALOS, '--policy', file('q.json', '{')], /q\.json: is no JSON/],
    ['an inventory that is none', () => [KALOS, '--inventory', file('i.json', '{}')], /i\.json: source: /],
    ['an empty window', () => [KALOS, '--offset', '319'], /no request of the window/],
    ['a page that cannot be written', () => [KALOS, '--requests', '5', '--report', folder], /EISDIR/],
    ['a load of nothing', () => [KALOS, '--load', '0'], /number above 0/],
    ['a stretch that there is not', () => [KALOS, '--stretch', 'r9'], /none, r1/],
  ] as const)
    it(`refuses ${says}, as wrongly used`, async () => {
      const { status, out, err } = await cli(['simulate', ...args()])
      expect([status, out]).to.deep.equal([2, ''])
      expect(err).to.match(message)
    })

  it('stops when it is interrupted', async () => {
    const interrupt = new AbortController()
    interrupt.abort(new Error('interrupted'))
    const { status, out } = await cli(['simulate', KALOS], { signal: interrupt.signal })
    expect([status, out]).to.deep.equal([130, ''])
  })
})
