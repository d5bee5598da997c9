import { expect } from 'chai'
import { describe, it } from 'mocha'
import * as examples from '../../broker/http/examples.ts'
import type { Ran } from './cli-world.ts'
import { servedExamples } from './served.ts'

describe('the command line about what sweeps found', () => {
  const server = servedExamples()

  const run = (...args: readonly string[]): Promise<Ran> => server.run(args)
  const { id } = examples.provider
  /** The calls that a route's own look-up of the provider is not. */
  const asked = () =>
    server.calls.filter(({ name }) => name !== 'getProvider').map(({ name, args }) => [name, ...args.slice(1)])

  it('shows the last sweep as a table, or whole as JSON', async () => {
    const { out, status } = await run('sweep', 'show', id)
    expect(status).to.equal(0)
    expect(out).to.match(/^Swept at 2026-12-01 00:05 UTC, in 840 ms\.\n/)
    expect(out).to.match(/unknown +│? *3f2a/)
    expect(JSON.parse((await run('sweep', 'show', id, '--json')).out)).to.deep.equal(examples.reconciliation)
  })

  const COMMANDS: readonly (readonly [args: readonly string[], asked: readonly unknown[]])[] = [
    [
      ['sweep', 'approve', id],
      ['approveSweep', id],
    ],
    [
      ['nodes', 'delete', id, '3f2a'],
      ['deleteFoundNode', { providerId: id, providerInstanceId: '3f2a' }],
    ],
    [
      ['nodes', 'adopt', id, '3f2a', '--approval', 'apr-1', '--end', '2027-03-01', '--name', 'pretrain'],
      [
        'adoptFoundNode',
        { providerId: id, providerInstanceId: '3f2a' },
        { approvalId: 'apr-1', end: '2027-03-01T00:00:00Z', name: 'pretrain' },
      ],
    ],
    [
      ['nodes', 'ignore', id, '3f2a'],
      ['ignoreFoundNode', { providerId: id, providerInstanceId: '3f2a' }, true],
    ],
    [
      ['nodes', 'count', id, '3f2a'],
      ['ignoreFoundNode', { providerId: id, providerInstanceId: '3f2a' }, false],
    ],
    [['hold-deletes'], ['holdDeletes', true]],
    [['resume-deletes'], ['holdDeletes', false]],
  ]
  for (const [args, call] of COMMANDS) {
    it(`asks for what "${args.slice(0, 2).join(' ')}" says, once`, async () => {
      const { status, err } = await run(...args)
      expect([status, err]).to.deep.equal([0, ''])
      expect(asked()).to.deep.equal([call])
    })
  }

  it('adopts nothing without knowing whose it is and until when', async () => {
    const { status, err } = await run('nodes', 'adopt', id, '3f2a')
    expect(status).to.equal(2)
    expect(err).to.contain('--approval')
    expect(asked()).to.deep.equal([])
  })
})
