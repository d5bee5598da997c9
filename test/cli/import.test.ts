import { expect } from 'chai'
import { describe, it } from 'mocha'
import type { Ran } from './cli-world.ts'
import { servedExamples } from './served.ts'

const YAML = `approvals: []
allocations:
  - approvalId: apr-2026-0001
    name: pretrain
    clusterId: nhn-b200-510
    period:
      start: 2026-11-01T00:00:00Z
      end: 2027-03-01T00:00:00Z
    providerInstanceIds: [a-1, a-2]
`

describe('a file that is imported', () => {
  const server = servedExamples()

  const run = (text: string, ...args: string[]): Promise<Ran> =>
    server.run(['import', 'fleet', ...args], { fleet: text })
  const applied = (): unknown[] =>
    server.calls.filter(({ name }) => name === 'importFleet').map(({ args }) => args.at(-1))

  it('is only tried unless --apply says otherwise, and shown as a table', async () => {
    const { status, out } = await run(YAML)
    expect([status, applied()]).to.deep.equal([0, [false]])
    expect(out).to.match(/pretrain-70b +apr-2026-0001 +nhn-b200-510 +2 +create/)
  })

  it('is tried before it is applied', async () => {
    expect((await run(YAML, '--apply')).status).to.equal(0)
    expect(applied()).to.deep.equal([false, true])
  })

  it('asks the same as JSON and as YAML', async () => {
    await run(YAML)
    const [fromYaml] = server.calls.map(({ args }) => args[1])
    server.calls.length = 0
    await run(JSON.stringify(fromYaml))
    expect(server.calls.map(({ args }) => args[1])).to.deep.equal([fromYaml])
  })

  it('is not sent with anything wrong in it: each mistake is told with its line', async () => {
    const { status, err } = await run(YAML.replace('[a-1, a-2]', '[]').replace('name: pretrain', 'name: ""'))
    expect([status, applied()]).to.deep.equal([2, []])
    expect(err).to.match(/^fleet:4: \/allocations\/0\/name: /m)
    expect(err).to.match(/^fleet:9: \/allocations\/0\/providerInstanceIds: /m)
  })

  it('names the line at which it stops being YAML or JSON', async () => {
    const { status, err } = await run('allocations:\n  - name: "a\n')
    expect(status).to.equal(2)
    expect(err).to.match(/^fleet:[23]: /m)
  })

  it('answers a program with the report whole', async () => {
    const { out } = await run(YAML, '--json')
    expect(JSON.parse(out)).to.include({ applied: true }) // the use cases behind this server always say so
  })
})
