import { expect } from 'chai'
import { describe, it } from 'mocha'
import type { Ran } from './cli-world.ts'
import { servedExamples } from './served.ts'

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHVzZXI a@b'

describe('what the command line asks for', () => {
  const server = servedExamples()

  const { run } = server
  /** The last argument of the one call: what the API made of the body. */
  const asked = (): unknown => server.calls.find(({ name }) => !name.startsWith('get'))?.args.at(-1)
  const create = (...args: string[]): Promise<Ran> =>
    run(['allocations', 'create', '--approval', 'apr-2026-0001', '--name', 'pretrain', ...args])

  it('is an allocation with all that can be said about one, its keys read from their files', async () => {
    const args = [
      ...['allocations', 'create', '--approval', 'apr-2026-0001', '--name', 'pretrain'],
      ...['--nodes', '64', '--architecture', 'blackwell,hopper', '--gpu-model', 'B200', '--cooling', 'liquid'],
      ...['--min-cluster-nodes', '255', '--provider', 'nhn', '--provider', 'kakao', '--stage', 'general'],
      ...['--share', 'government', '--prefer-architecture', 'blackwell', '--prefer-cooling', 'liquid'],
      ...['--prefer-provider', 'nhn', '--start', '2026-12-01', '--end', '2027-03-01T00:00:00+09:00'],
      ...['--if-unavailable', 'reject', '--image', 'ubuntu-22.04-cuda', '--ssh-key', 'id.pub'],
      ...['--label', 'task=pretrain', '--label', 'note=a=b,c'],
    ]
    const { status, err } = await run(args, { 'id.pub': `# mine\n\n${KEY}\n` })
    expect(err).to.equal('')
    expect(status).to.equal(0)
    expect(asked()).to.deep.equal({
      approvalId: 'apr-2026-0001',
      name: 'pretrain',
      demand: { nodes: 64 },
      requires: {
        architectures: ['blackwell', 'hopper'],
        gpuModels: ['B200'],
        cooling: ['liquid'],
        minClusterNodes: 255,
        providers: ['nhn', 'kakao'],
        stages: ['general'],
        shares: ['government'],
      },
      prefers: { architecture: 'blackwell', cooling: 'liquid', provider: 'nhn' },
      period: { start: '2026-12-01T00:00:00Z', end: '2027-03-01T00:00:00+09:00' },
      ifUnavailable: 'reject',
      access: { sshPublicKeys: [KEY], image: 'ubuntu-22.04-cuda' },
      labels: { task: 'pretrain', note: 'a=b,c' },
    })
  })

  const PERIODS: readonly (readonly [args: readonly string[], period: object])[] = [
    [['--hours', '24'], { durationHours: 24 }],
    [
      ['--hours', '1.5', '--earliest-start', '2026-12-01', '--latest-start', '2026-12-05'],
      { durationHours: 1.5, earliestStart: '2026-12-01T00:00:00Z', latestStart: '2026-12-05T00:00:00Z' },
    ],
    [['--start', 'now', '--hours', '48'], { start: '2026-11-24T09:00:00Z', end: '2026-11-26T09:00:00Z' }],
  ]
  for (const [args, period] of PERIODS) {
    it(`is a period of ${JSON.stringify(period)} for ${args.join(' ')}`, async () => {
      expect((await create('--gpus', '16', ...args)).status).to.equal(0)
      expect(asked()).to.deep.include({ demand: { gpus: 16 }, period })
    })
  }

  it('is what a file says, as far as no option says otherwise', async () => {
    const file = {
      approvalId: 'apr-1',
      name: 'from the file',
      demand: { nodes: 1 },
      requires: { cooling: ['liquid'], stages: ['beta'] },
      period: { durationHours: 5 },
      labels: { a: '1', b: '2' },
    }
    const { status, err } = await run(
      ['allocations', 'create', '--file', '-', '--name', 'mine', '--fp8', '576', '--cooling', 'air', '--label', 'b=3'],
      { '-': JSON.stringify(file) },
    )
    expect(err).to.equal('')
    expect(status).to.equal(0)
    expect(asked()).to.deep.equal({
      ...file,
      name: 'mine',
      demand: { fp8H200Equivalent: 576 },
      requires: { cooling: ['air'], stages: ['beta'] },
      labels: { a: '1', b: '3' },
    })
  })

  it('carries the key that makes it happen once', async () => {
    await create('--nodes', '1', '--hours', '1', '--idempotency-key', 'once')
    expect(server.calls[0]?.args[0]).to.have.nested.property('idempotency.key', 'once')
  })

  it('is a preview with a priority', async () => {
    const { status, out } = await run(['preview', '--nodes', '64', '--hours', '24', '--priority', 'national'])
    expect(status).to.equal(0)
    expect(asked()).to.deep.equal({ demand: { nodes: 64 }, period: { durationHours: 24 }, priority: 'national' })
    expect(out).to.match(/nhn-b200-510 +64 +512 +2026-12-01 00:00 +0\.80/)
    expect(out).to.include('Wanted is blackwell; this cluster is hopper.')
    expect(out).to.match(/Best: nhn-b200-510\.\n$/)
  })

  it('is an approval', async () => {
    const { status, out } = await run([
      ...['approvals', 'put', 'apr-2', '--organization', 'kaist', '--organization-name', 'KAIST', '--program', 'p'],
      ...['--organization-type', 'university', '--priority', 'national', '--max-nodes', '255', '--gpu-hours', '2e6'],
      ...['--architecture', 'blackwell', '--architecture', 'hopper', '--from', 'now', '--to', '2027-12-01'],
    ])
    expect(status).to.equal(0)
    expect(asked()).to.deep.equal({
      organizationId: 'kaist',
      organizationName: 'KAIST',
      organizationType: 'university',
      program: 'p',
      priority: 'national',
      limits: {
        maxNodes: 255,
        gpuHours: 2_000_000,
        architectures: ['blackwell', 'hopper'],
        validFrom: '2026-11-24T09:00:00Z',
        validTo: '2027-12-01T00:00:00Z',
      },
    })
    expect(out).to.match(/^Registered: apr-2\.\n/)
  })

  it('is a release with its reason and its time', async () => {
    const id = 'alc_abcdefghijklmnop'
    const { status } = await run(['allocations', 'release', id, '--reason', 'finished', '--at', '2026-12-24'])
    expect(status).to.equal(0)
    expect(server.calls.at(-1)?.args.slice(1)).to.deep.equal([id, { reason: 'finished', at: '2026-12-24T00:00:00Z' }])
  })

  it('is a list of those that match', async () => {
    const filter = ['--status', 'active', '--organization', 'kaist', '--label', 'task=pretrain', '--limit', '1']
    expect((await run(['allocations', 'list', ...filter])).status).to.equal(0)
    expect(server.calls[0]?.args[1]).to.deep.equal({
      status: 'active',
      organizationId: 'kaist',
      label: { key: 'task', value: 'pretrain' },
    })
  })
})
