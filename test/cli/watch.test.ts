import { expect } from 'chai'
import { afterEach, describe, it } from 'mocha'
import type { Allocation } from '../../shared/allocation.ts'
import { allocation } from '../../broker/http/examples.ts'
import { type Loopback, startLoopback } from '../client/loopback.ts'
import { type Ran, at, cli } from './cli-world.ts'

let open: Loopback | null = null

const looks = (status: Allocation['status'], ready: number, more: Partial<Allocation> = {}): Allocation => ({
  ...allocation,
  status,
  nodes: { desired: 64, ready, failed: 0 },
  ...more,
})

/** The nth look sees the nth of `seen`; later ones the last. */
async function watch(seen: readonly Allocation[], args: readonly string[] = [], isInteractive = false): Promise<Ran> {
  open = await startLoopback((_, nth) => ({ json: seen[Math.min(nth, seen.length) - 1] }))
  return await cli(['allocations', 'watch', allocation.id, ...args], { ...at(open.url), isInteractive })
}

const WAITING = {
  placement: null,
  waitlist: {
    position: 2,
    estimatedStart: '2026-12-31T00:00:00Z',
    estimatedClusterId: 'nhn-b200-510',
    promisedStart: '2027-01-20T00:00:00Z',
    reason: 'full',
    since: '2026-11-24T09:00:00Z',
  },
}

describe('watching an allocation', () => {
  afterEach(async () => {
    await open?.close()
    open = null
  })

  it('ends with 0 once it is active, a line for each status and each quarter of its nodes', async () => {
    const seen = [
      looks('waitlisted', 0, WAITING),
      looks('provisioning', 0),
      looks('provisioning', 1),
      looks('provisioning', 33),
      looks('provisioning', 40),
      looks('active', 64),
    ]
    const { status, out, pausesMs } = await watch(seen)
    expect(status).to.equal(0)
    expect(out.trimEnd().split('\n')).to.deep.equal([
      'pretrain-70b: waitlisted, 0 of 64 nodes ready, 0 ms, no. 2 in line, start expected 2026-12-31 00:00 UTC, 2027-01-20 00:00 UTC at the latest',
      'pretrain-70b: provisioning at nhn-b200-510, 0 of 64 nodes ready, 1.0 s',
      'pretrain-70b: provisioning at nhn-b200-510, 33 of 64 nodes ready, 3.0 s',
      'pretrain-70b: active at nhn-b200-510, 64 of 64 nodes ready, 5.0 s',
    ])
    expect(pausesMs).to.deep.equal([1_000, 1_000, 1_000, 1_000, 1_000])
  })

  it('draws a bar that grows in place for somebody who looks', async () => {
    const { out } = await watch([looks('provisioning', 32), looks('active', 64)], [], true)
    const [first = '', second = ''] = out.split('\u001b[1A\u001b[2K')
    expect(first).to.match(/pretrain-70b +nhn-b200-510 +█{12}░{12} +32 of 64 nodes ready +provisioning +0 ms\n$/)
    expect(second).to.match(/█{24} +64 of 64 nodes ready +active +1\.0 s\n$/)
  })

  it('writes no control character where nobody looks', async () => {
    const { out } = await watch([looks('provisioning', 32), looks('active', 64)])
    expect(out).to.match(/^[\P{Cc}\n]+$/u)
  })

  const ENDS: readonly (readonly [what: string, seen: Allocation, args: readonly string[], status: number])[] = [
    ['1 when it failed', looks('failed', 0, { statusReason: 'refused' }), [], 1],
    ['1 when it was cancelled instead', looks('cancelled', 0), [], 1],
    ['1 when it was released instead', looks('released', 0), [], 1],
    ['0 when its end was waited for', looks('released', 0), ['--until', 'final'], 0],
    ['0 when it was cancelled and its end was waited for', looks('cancelled', 0), ['--until', 'final'], 0],
    ['1 when it failed and its end was waited for', looks('failed', 0), ['--until', 'final'], 1],
  ]
  for (const [what, seen, args, status] of ENDS) {
    it(`ends with ${what}`, async () => {
      expect((await watch([seen], args)).status).to.equal(status)
    })
  }

  it('gives up after its time, and says where things are', async () => {
    const { status, err, pausesMs } = await watch([looks('provisioning', 3)], ['--timeout', '0.5', '--interval', '600'])
    expect(status).to.equal(1)
    expect(err).to.equal('Still provisioning after 30 min.\n')
    expect(pausesMs).to.deep.equal([600_000, 600_000, 600_000])
  })

  it('leaves standard output to the one document that a program asked for', async () => {
    const { out, err } = await watch([looks('provisioning', 3), looks('active', 64)], ['--json'])
    expect(JSON.parse(out)).to.deep.include({ status: 'active' })
    expect(err).to.include('3 of 64 nodes ready')
  })

  it('follows a new allocation when asked to', async () => {
    open = await startLoopback(({ method }) => ({
      json: method === 'POST' ? looks('scheduled', 0) : looks('active', 64),
    }))
    const args = ['allocations', 'create', '--approval', 'a', '--name', 'n', '--nodes', '64', '--hours', '1', '--watch']
    const { status, out } = await cli(args, at(open.url))
    expect(status).to.equal(0)
    expect(out).to.equal('pretrain-70b: active at nhn-b200-510, 64 of 64 nodes ready, 0 ms\n')
  })
})
