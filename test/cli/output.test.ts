import { expect } from 'chai'
import { afterEach, describe, it } from 'mocha'
import { allocation, approval, cluster, node, waitlistItem } from '../../broker/http/examples.ts'
import { type Loopback, startLoopback } from '../client/loopback.ts'
import { type Ran, at, cli } from './cli-world.ts'

let open: Loopback | null = null

/** One answer for every request. */
async function told(json: unknown, args: readonly string[]): Promise<Ran> {
  open = await startLoopback(() => ({ json }))
  return await cli(args, at(open.url))
}

const list = (...items: readonly unknown[]): object => ({ items, nextCursor: null })
const lines = ({ out }: Ran): string[] => out.trimEnd().split('\n')

describe('what the command line shows', () => {
  afterEach(async () => {
    await open?.close()
    open = null
  })

  it('is a table with aligned columns, and numbers to the right', async () => {
    const wide = { ...approval, id: 'apr-2', organizationName: '한국과학기술원' }
    const ran = await told(list(approval, wide), ['approvals', 'list'])
    expect(ran.status).to.equal(0)
    expect(lines(ran)).to.deep.equal([
      'approval       organisation    programme            priority  status     nodes     GPU-hours committed  valid until (UTC)',
      'apr-2026-0001  KAIST           ai-foundation-model  national  valid   0 of 255  1,105,920 of 2,000,000  2027-12-01 00:00',
      'apr-2          한국과학기술원  ai-foundation-model  national  valid   0 of 255  1,105,920 of 2,000,000  2027-12-01 00:00',
    ])
  })

  it('says how many of a growing cluster’s nodes are in service', async () => {
    const ran = await told(list({ ...cluster, now: { ...cluster.now, nodesDrained: 3 } }), ['clusters'])
    expect(lines(ran)[1]).to.match(
      /^nhn-b200-510 +nhn +B200 +liquid +undisclosed +255 of 510 +4,080 +9,180 .*3 drained$/,
    )
  })

  it('leaves out clusters where nothing can be placed, unless asked for all', async () => {
    const own = { ...cluster, id: 'nhn-b200-own', share: 'operator', placeable: false }
    expect(lines(await told(list(cluster, own), ['clusters']))).to.have.length(2)
    await open?.close()
    const all = await told(list(cluster, own), ['clusters', '--all'])
    expect(lines(all)[2]).to.include('the operator’s own, not configured')
  })

  it('is one allocation, fact by fact', async () => {
    const ran = await told({ ...allocation, statusReason: 'degraded', status: 'active' }, [
      'allocations',
      'get',
      allocation.id,
    ])
    expect(ran.out).to.include('status        active (degraded)')
    expect(ran.out).to.include('nhn-b200-510: 64 nodes, 512 B200, 2026-12-01 00:00 to 2027-03-01 00:00 UTC')
    expect(ran.out).to.include('labels        task=pretrain')
  })

  it('says when somebody who waits is expected to start, and when at the latest', async () => {
    const ran = await told(list(waitlistItem), ['waitlist'])
    expect(lines(ran)[1]).to.match(
      /1 +alc_qrstuvwxyz234567 +national +255 .*2027-03-01 01:00 +nhn-b200-510 +2027-04-18 12:00 .*128 nodes \(2026-12-01 00:00 UTC\)/,
    )
  })

  it('says what would let somebody who waits start earlier', async () => {
    const { allocationId: _, priority: __, nodes: ___, ...waits } = waitlistItem
    const earlier = [
      { change: 'nodes', to: 1, estimatedStart: '2026-12-01T00:00:00Z' },
      { change: 'architecture', to: 'hopper', estimatedStart: '2026-12-02T00:00:00Z' },
      { change: 'duration', to: 1_000, estimatedStart: '2026-12-03T00:00:00Z' },
    ]
    const waiting = { ...allocation, status: 'waitlisted', placement: null, waitlist: { ...waits, earlier } }
    const ran = await told(waiting, ['allocations', 'get', allocation.id])
    expect(ran.out).to.match(
      /earlier with +1 node \(2026-12-01 00:00 UTC\), hopper \(2026-12-02 00:00 UTC\), 1,000 hours \(2026-12-03 00:00 UTC\)/,
    )
  })

  it('shows what went wrong with a node', async () => {
    const lastError = { kind: 'refused', code: 'E1', message: 'no such image' }
    const ran = await told(list({ ...node, status: 'failed', lastError }), ['allocations', 'nodes', allocation.id])
    expect(lines(ran)[1]).to.match(/gbabcdefghijklmnop-000-1 +failed .*refused: no such image$/)
  })

  it('is a sentence where there is nothing', async () => {
    expect((await told(list(), ['waitlist'])).out).to.equal('Nobody waits.\n')
  })

  it('is the whole answer as JSON for a program', async () => {
    const one = await told(allocation, ['allocations', 'get', allocation.id, '--json'])
    expect(JSON.parse(one.out)).to.deep.equal(allocation)
    await open?.close()
    const none = await told(list(), ['--json', 'allocations', 'list'])
    expect(JSON.parse(none.out)).to.deep.equal([])
  })

  it('never contains the token', async () => {
    const ran = await cli(['clusters', '--verbose', '--token', 'secret-token', '--url', (await noted()).url])
    expect(ran.status).to.equal(0)
    expect(open?.received[0]?.headers.authorization).to.equal('Bearer secret-token')
    expect(ran.out + ran.err).not.to.include('secret-token')
  })
})

async function noted(): Promise<Loopback> {
  open = await startLoopback(() => ({ json: list(cluster) }))
  return open
}
