import { expect } from 'chai'
import { afterEach, describe, it } from 'mocha'
import { preview } from '../../broker/http/examples.ts'
import { type Loopback, type Scripted, problem, startLoopback } from '../client/loopback.ts'
import { type Ran, at, cli } from './cli-world.ts'

let open: Loopback | null = null

async function against(answer: () => Scripted, ...args: string[]): Promise<Ran> {
  open = await startLoopback(answer)
  return await cli(args, at(open.url))
}

const CREATE = ['allocations', 'create', '--approval', 'a', '--name', 'n', '--nodes', '8', '--hours', '1']

describe('a command that fails', () => {
  afterEach(async () => {
    await open?.close()
    open = null
  })

  it('says the problem’s title and detail on standard error, and ends with 1', async () => {
    const ran = await against(() => problem(422, 'approval-exceeded'), ...CREATE)
    expect(ran).to.deep.include({
      status: 1,
      out: '',
      err: 'A title: A detail with 3 figures.\n(approval-exceeded, 422, request req-1)\n',
    })
  })

  it('names each field that is wrong', async () => {
    const errors = [
      { pointer: '/demand/nodes', detail: 'must be a whole number' },
      { pointer: '', detail: 'has an unknown member' },
    ]
    const ran = await against(() => problem(400, 'invalid-request', { errors }), ...CREATE)
    expect(ran.status).to.equal(1)
    expect(ran.err).to.include('A title:\n  /demand/nodes: must be a whole number\n  has an unknown member\n')
  })

  it('ends a stream of events that begins beyond the last one, and does not wait for it', async () => {
    const errors = [{ pointer: '/after', detail: 'must be at most 41' }]
    const beyond = () => problem(400, 'invalid-request', { errors, last: 41 })
    const ran = await against(beyond, 'events', 'stream', '--after', '50')
    expect(ran).to.deep.include({ status: 1, out: '', pausesMs: [] })
    expect(ran.err).to.include('A title:\n  /after: must be at most 41\n')
    expect(open?.received).to.have.length(1)
  })

  it('shows why each cluster cannot serve it', async () => {
    const ran = await against(() => problem(409, 'no-capacity', { candidates: preview.candidates }), ...CREATE)
    expect(ran.err).to.match(/naver-h200-255 .*Wanted is blackwell; this cluster is hopper\./)
  })

  it('hands a program the whole problem document', async () => {
    const ran = await against(() => problem(409, 'no-capacity', { candidates: [] }), ...CREATE, '--json')
    expect(ran.status).to.equal(1)
    expect(JSON.parse(ran.err)).to.deep.include({ code: 'no-capacity', candidates: [] })
  })

  it('tries again what may succeed later, and says so only when asked to', async () => {
    const ran = await against(() => problem(503, 'unavailable'), 'clusters', '--verbose')
    expect(ran.status).to.equal(1)
    expect(open?.received).to.have.length(7)
    expect(ran.err.match(/attempt \d failed/g)).to.have.length(6)
  })

  it('ends with 3 where nobody answers', async () => {
    open = await startLoopback(() => ({}))
    const { url } = open
    await open.close()
    open = null
    const ran = await cli(['clusters'], at(url))
    expect(ran).to.deep.include({ status: 3, err: `gpu-broker: ${url} cannot be reached: ECONNREFUSED.\n` })
  })

  it('ends with 3 where no token is to be had', async () => {
    const ran = await against(() => ({ status: 404, text: '' }), 'token', 'platform', '--issuer', 'http://127.0.0.1:1')
    expect(ran.status).to.equal(3)
    expect(ran.err).to.match(/^gpu-broker: No token for platform from http:\/\/127\.0\.0\.1:1: /)
  })

  it('ends with 130 when its user interrupts it', async () => {
    const stop = new AbortController()
    open = await startLoopback(() => {
      stop.abort(new Error('interrupted'))
      return problem(503, 'unavailable')
    })
    const ran = await cli(['allocations', 'watch', 'alc_abcdefghijklmnop'], { ...at(open.url), signal: stop.signal })
    expect(ran.status).to.equal(130)
  })
})

describe('a command that cannot mean anything', () => {
  const NONSENSE: readonly (readonly [says: string, args: readonly string[]])[] = [
    ["unknown command 'fly'", ['fly']],
    ["unknown option '--fast'", ['clusters', '--fast']],
    ['say how much', ['preview', '--hours', '1']],
    ['say when', ['preview', '--nodes', '1']],
    ['give one of --nodes, --gpus and --fp8', ['preview', '--nodes', '1', '--gpus', '8', '--hours', '1']],
    ['It must be a whole number above 0', ['preview', '--nodes', '1.5', '--hours', '1']],
    ['It must be a number above 0', ['preview', '--nodes', '1', '--hours', 'many']],
    ['It must be "now", a day', ['preview', '--nodes', '1', '--start', 'tomorrow', '--hours', '1']],
    ['It must be "now", a day', ['preview', '--nodes', '1', '--start', '2026-13-01', '--hours', '1']],
    ['--start needs one of --end and --hours', ['preview', '--nodes', '1', '--start', 'now']],
    ['--end needs --start', ['preview', '--nodes', '1', '--end', '2026-12-01']],
    ['--earliest-start and --latest-start need --hours', ['preview', '--nodes', '1', '--latest-start', 'now']],
    [
      'leave out --earliest-start',
      ['preview', '--nodes', '1', '--start', 'now', '--hours', '1', '--latest-start', 'now'],
    ],
    ['say under which approval', ['allocations', 'create', '--nodes', '1', '--hours', '1']],
    ['give it a name', ['allocations', 'create', '--nodes', '1', '--hours', '1', '--approval', 'a']],
    ['It must be key=value', ['allocations', 'create', '--label', 'task']],
    ['say whose it is', ['approvals', 'put', 'apr-1']],
    ['--reason must be one of finished', ['allocations', 'release', 'alc_abcdefghijklmnop', '--reason', 'bored']],
    ['--until must be active or final', ['allocations', 'watch', 'alc_abcdefghijklmnop', '--until', 'later']],
    ['request.json cannot be read (ENOENT)', ['preview', '--file', 'request.json']],
    ['broken.json is not JSON', ['preview', '--file', 'broken.json']],
    ['list.json must hold one JSON object', ['preview', '--file', 'list.json']],
    ['id is a private key', [...CREATE, '--ssh-key', 'id']],
    ['empty.pub holds no key', [...CREATE, '--ssh-key', 'empty.pub']],
    ['--url must be a URL', ['clusters', '--url', 'here']],
    ['client platform needs its secret', ['token', '--issuer', 'https://issuer.example']],
  ]
  const files = {
    'broken.json': '{',
    'list.json': '[]',
    id: '-----BEGIN OPENSSH PRIVATE KEY-----\n',
    'empty.pub': '# nothing\n',
  }

  for (const [says, args] of NONSENSE) {
    it(`ends with 2 and calls nobody: ${args.join(' ')}`, async () => {
      // Nobody listens there: a call would end with 3.
      const ran = await cli(args, { files, env: { GPU_BROKER_URL: 'http://127.0.0.1:1', GPU_BROKER_TOKEN: 't' } })
      expect(ran.err).to.include(says)
      expect(ran).to.deep.include({ status: 2, out: '' })
    })
  }
})
