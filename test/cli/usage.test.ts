import { expect } from 'chai'
import { describe, it } from 'mocha'
import * as examples from '../../broker/http/examples.ts'
import type { Ran } from './cli-world.ts'
import { servedExamples } from './served.ts'

describe('the command line about usage and the audit trail', () => {
  const server = servedExamples()

  const run = (...args: readonly string[]): Promise<Ran> => server.run(args)

  it('shows usage as a table, as JSON or as comma-separated values', async () => {
    const shown = await run('usage', '--by', 'organization', '--from', '2026-12-01', '--to', '2027-01-01')
    expect(shown.status).to.equal(0)
    expect(shown.out)
      .to.match(/organization/)
      .and.match(/kaist.*720\.50/)
    expect(JSON.parse((await run('usage', '--json')).out)).to.deep.equal(examples.usageReport)
    const [head, line] = (await run('usage', '--output', 'csv')).out.split('\r\n')
    expect(head).to.equal('organization,nodeHoursReserved,nodeHoursActive,gpuHoursActive,fp8H200EquivalentHours')
    expect(line).to.equal('kaist,720.5,719.25,5754,12946.5')
  })

  it('closes a month and shows what it comes to', async () => {
    expect((await run('usage', 'close', '2026-12')).out).to.equal('2026-12 is closed, since 2027-01-04 02:00 UTC.\n')
    expect(server.calls.map(({ name, args }) => [name, args[1]])).to.deep.equal([['closeUsagePeriod', '2026-12']])
    expect((await run('settlement', '2026-12')).out)
      .to.match(/2026-12, closed/)
      .and.match(/government.*usage/)
    expect((await run('settlement', '2026-12', '--output', 'csv')).out).to.match(
      /^provider,program,share,entry,nodeHoursReserved/,
    )
  })

  it('lists who asked for what', async () => {
    const { out } = await run('audit', 'list', '--limit', '1', '--actor', 'platform', '--from', '2026-12-01')
    expect(out).to.match(/platform.*createAllocation/)
  })

  it('says which record breaks the trail, and by its exit status that it is broken', async () => {
    const { out, status } = await run('audit', 'verify')
    expect(status).to.equal(1)
    expect(out).to.match(/^The trail is broken: record 1 has been changed/m)
  })
})
