import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { REPLAYED } from '../../broker/app/command.ts'
import * as examples from '../../broker/http/examples.ts'
import { Refusal } from '../../shared/refusal.ts'
import { ETAG, KNOWN } from '../support/fake-use-cases.ts'
import { type Sent, type TestServer, startServer } from '../support/http-server.ts'

const UNKNOWN_ALLOCATION = 'alc_zzzzzzzzzzzzzzzz'
const ONE = `/v1/allocations/${KNOWN.allocation}`

describe('the conventions of the API', () => {
  let server: TestServer
  before(async () => {
    server = await startServer()
  })
  after(() => server.close())

  describe('refuses in the order of the contract', () => {
    const release = `/v1/allocations/${UNKNOWN_ALLOCATION}/release`
    const cases: readonly (Sent & { rule: string; status: number; code: string })[] = [
      { rule: '404 outside /v1 needs no token', path: '/nowhere', token: null, status: 404, code: 'not-found' },
      { rule: '401 before anything else', path: '/v1/nowhere', token: null, status: 401, code: 'unauthorized' },
      {
        rule: '401 for a method that is not there',
        method: 'PATCH',
        path: ONE,
        token: null,
        status: 401,
        code: 'unauthorized',
      },
      { rule: '404 for an unknown path with a token', path: '/v1/nowhere', status: 404, code: 'not-found' },
      { rule: '404 for the bare prefix', path: '/v1', status: 404, code: 'not-found' },
      { rule: '404 for another spelling of a path', path: '/v1/Allocations', status: 404, code: 'not-found' },
      { rule: '404 for an escape that cannot be decoded', path: '/v1/allocations/%ZZ', status: 404, code: 'not-found' },
      {
        rule: '403 before the resource is looked for',
        path: `/v1/allocations/${UNKNOWN_ALLOCATION}`,
        token: 'catalog',
        status: 403,
        code: 'insufficient-scope',
      },
      { rule: '404 for a malformed id', path: '/v1/allocations/nonsense', status: 404, code: 'not-found' },
      {
        rule: '404 for an id that is a step of a path',
        method: 'PUT',
        path: '/v1/approvals/%2e%2e',
        json: examples.approvalRequest,
        status: 404,
        code: 'not-found',
      },
      {
        rule: '404 before a broken body',
        method: 'POST',
        path: release,
        chunks: ['{'],
        headers: { 'content-type': 'application/json' },
        status: 404,
        code: 'not-found',
      },
      {
        rule: '404 before another media type',
        method: 'POST',
        path: release,
        chunks: ['x'],
        headers: { 'content-type': 'text/plain' },
        status: 404,
        code: 'not-found',
      },
      {
        rule: '404 before an unknown query member',
        path: `/v1/clusters/none/availability?x=1`,
        status: 404,
        code: 'not-found',
      },
      {
        rule: '404 before a body that does not fit',
        method: 'POST',
        path: release,
        json: { x: 1 },
        status: 404,
        code: 'not-found',
      },
      {
        rule: '400 for a body that does not fit',
        method: 'POST',
        path: `${ONE}/release`,
        json: { x: 1 },
        status: 400,
        code: 'invalid-request',
      },
      {
        rule: '405 for a method that is not there',
        method: 'DELETE',
        path: ONE,
        status: 405,
        code: 'method-not-allowed',
      },
      { rule: '405 outside /v1', method: 'POST', path: '/livez', token: null, status: 405, code: 'method-not-allowed' },
    ]
    for (const { rule, status, code, ...sent } of cases) {
      it(rule, async () => {
        const got = await server.send(sent)
        expect(got.headers['content-type']).to.equal('application/problem+json')
        expect(got.json()).to.include({ status, code, type: `/problems/${code}`, instance: sent.path.split('?')[0] })
        expect(got.status).to.equal(status)
      })
    }

    it('names the scope that is missing, in the body and to the client', async () => {
      const got = await server.send({ method: 'POST', path: '/v1/allocations', token: 'catalog', json: {} })
      expect(got.json()).to.include({ scope: 'allocations:write' })
      expect(got.headers['www-authenticate'])
        .to.include('error="insufficient_scope"')
        .and.include('scope="allocations:write"')
    })

    it('says 401, not that the headers are too large, to a token of 17 KiB', async () => {
      const got = await server.send({ path: '/v1/providers', token: 'x'.repeat(17 * 1024) })
      expect([got.status, got.json()['code']]).to.deep.equal([401, 'unauthorized'])
    })

    it('asks for a bearer token without naming an error when none came', async () => {
      const got = await server.send({ path: '/v1/providers', token: null })
      expect(got.headers['www-authenticate']).to.equal('Bearer realm="gpu-broker"')
    })

    it('lists the methods that a path has', async () => {
      expect((await server.send({ method: 'DELETE', path: ONE })).headers.allow).to.equal('GET, HEAD')
      expect((await server.send({ method: 'PUT', path: '/v1/allocations' })).headers.allow).to.equal('GET, HEAD, POST')
    })
  })

  describe('bodies', () => {
    const create = (sent: Partial<Sent>) => server.send({ method: 'POST', path: '/v1/allocations', ...sent })
    const asJson = { 'content-type': 'application/json' }

    it('are refused above 256 KiB when they say so', async () => {
      const got = await create({ json: { name: 'x'.repeat(256 * 1024) } })
      expect([got.status, got.json()['code']]).to.deep.equal([413, 'payload-too-large'])
    })

    it('are refused above 256 KiB when they come in chunks', async () => {
      const got = await create({ headers: asJson, chunks: Array.from({ length: 5 }, () => ' '.repeat(64 * 1024)) })
      expect([got.status, got.json()['code']]).to.deep.equal([413, 'payload-too-large'])
    })

    it('may be exactly 256 KiB', async () => {
      const text = JSON.stringify(examples.allocationRequest)
      const got = await create({ headers: asJson, chunks: [text, ' '.repeat(256 * 1024 - text.length)] })
      expect(got.status).to.equal(201)
    })

    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=euc-kr', '']) {
      it(`are refused as ${type === '' ? 'nothing at all' : type}`, async () => {
        const got = await create({ headers: type === '' ? {} : { 'content-type': type }, chunks: ['{}'] })
        expect([got.status, got.json()['code']]).to.deep.equal([415, 'unsupported-media-type'])
      })
    }

    it('are refused compressed', async () => {
      const got = await create({ headers: { ...asJson, 'content-encoding': 'gzip' }, chunks: ['{}'] })
      expect(got.status).to.equal(415)
    })

    it('are taken with a charset of UTF-8 in any case', async () => {
      const headers = { 'content-type': 'Application/JSON; Charset="UTF-8"' }
      expect((await create({ headers, chunks: [JSON.stringify(examples.allocationRequest)] })).status).to.equal(201)
    })

    const broken: readonly [string, string | Buffer, string][] = [
      ['that are not JSON', '{"name": ', ''],
      ['that are not an object', '[1]', ''],
      ['that are null', 'null', ''],
      ['that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), ''],
      ['that are nested too deep', `{"labels":${'['.repeat(40)}${']'.repeat(40)}}`, ''],
      ['with __proto__', '{"labels":{"__proto__":"x"}}', '/labels/__proto__'],
      ['with half a surrogate pair', '{"name":"\\ud800"}', '/name'],
      ['with a member twice', '{"name":"a","name":"a"}', '/name'],
      ['with a member twice further in', '{"labels":{"a":[{"b":":\\"{"},{"c":1,"\\u0063":2}]}}', '/labels/a/1/c'],
      ['with U+0000', '{"labels":{"task":"a\\u0000"}}', '/labels/task'],
    ]
    for (const [rule, body, pointer] of broken) {
      it(`are refused ${rule}`, async () => {
        const got = await create({ headers: asJson, chunks: [body] })
        expect([got.status, got.json()['code']]).to.deep.equal([400, 'invalid-request'])
        expect(got.json()['errors']).to.have.nested.property('[0].pointer', pointer)
      })
    }

    it('are asked for when they are missing', async () => {
      const got = await create({})
      expect(got.json()['errors']).to.deep.equal([{ pointer: '', detail: 'is required: must be an object' }])
    })

    it('may be left out of an action, with or without a content type', async () => {
      const bare = await server.send({ method: 'POST', path: `${ONE}/release` })
      const typed = await server.send({
        method: 'POST',
        path: `${ONE}/release`,
        headers: { 'content-type': 'text/plain' },
      })
      expect([bare.status, typed.status]).to.deep.equal([202, 202])
      expect(server.calls.at(-1)?.args.slice(1)).to.deep.equal([KNOWN.allocation, {}])
    })
  })

  describe('queries', () => {
    const cases: readonly [string, string, string][] = [
      ['unknown members', '/v1/allocations?colour=red', '/colour'],
      ['a member given twice', '/v1/allocations?status=active&status=failed', '/status'],
      ['a limit of nothing', '/v1/allocations?limit=0', '/limit'],
      ['a limit above 500', '/v1/allocations?limit=501', '/limit'],
      ['a limit that is no number', '/v1/allocations?limit=1e2', '/limit'],
      ['a status that does not exist', '/v1/allocations?status=lost', '/status'],
      ['a label without a value', '/v1/allocations?label=task', '/label'],
      ['a mangled cursor', '/v1/allocations?cursor=abc', '/cursor'],
      ['__proto__', '/v1/allocations?__proto__=1', '/__proto__'],
      ['members where there are none', `${ONE}?limit=1`, '/limit'],
    ]
    for (const [rule, path, pointer] of cases) {
      it(`are refused with ${rule}`, async () => {
        const got = await server.send({ path })
        expect([got.status, got.json()['code']]).to.deep.equal([400, 'invalid-request'])
        expect(got.json()['errors']).to.have.nested.property('[0].pointer', pointer)
      })
    }

    it('hand filters on as they are meant', async () => {
      await server.send({ path: '/v1/allocations?status=active&label=task:pre:train&limit=7' })
      expect(server.calls.at(-1)?.args.slice(1)).to.deep.equal([
        { status: 'active', label: { key: 'task', value: 'pre:train' } },
        { limit: 7, after: null },
      ])
    })

    it('go on where the page before ended, on the same list only', async () => {
      const { nextCursor } = (await server.send({ path: '/v1/clusters' })).json()
      await server.send({ path: `/v1/clusters?cursor=${String(nextCursor)}` })
      expect(server.calls.at(-1)?.args[1]).to.deep.equal({ limit: 50, after: 'after-it' })
      const elsewhere = await server.send({ path: `/v1/providers?cursor=${String(nextCursor)}` })
      expect(elsewhere.status).to.equal(400)
    })

    it('page through nodes when asked to, and show all otherwise', async () => {
      const all = (await server.send({ path: `${ONE}/nodes` })).json()
      expect([all['items'], all['nextCursor']]).to.satisfy(
        ([items, next]: [unknown[], null]) => items.length === 3 && next === null,
      )
      const first = (await server.send({ path: `${ONE}/nodes?limit=2` })).json()
      const rest = (await server.send({ path: `${ONE}/nodes?limit=2&cursor=${String(first['nextCursor'])}` })).json()
      expect([...(first['items'] as unknown[]), ...(rest['items'] as unknown[])]).to.deep.equal(all['items'])
      expect(rest['nextCursor']).to.equal(null)
    })
  })

  describe('versions', () => {
    it('are shown as a strong ETag, and not sent twice', async () => {
      const first = await server.send({ path: ONE })
      expect(first.headers.etag).to.equal(`"${ETAG}"`)
      for (const known of [`"${ETAG}"`, `W/"${ETAG}"`, `"1", "${ETAG}"`, '*']) {
        const again = await server.send({ path: ONE, headers: { 'if-none-match': known } })
        expect([again.status, again.text, again.headers.etag]).to.deep.equal([304, '', `"${ETAG}"`])
      }
      expect((await server.send({ path: ONE, headers: { 'if-none-match': '"1"' } })).status).to.equal(200)
    })

    it('are not given to lists', async () => {
      const got = await server.send({ path: '/v1/allocations', headers: { 'if-none-match': '*' } })
      expect([got.status, got.headers.etag]).to.deep.equal([200, undefined])
    })

    it('must match on a change', async () => {
      const release = (ifMatch: string) =>
        server.send({ method: 'POST', path: `${ONE}/release`, headers: { 'if-match': ifMatch } })
      expect((await release(`"${ETAG}"`)).status).to.equal(202)
      expect((await release('*')).status).to.equal(202)
      for (const other of ['"1"', `W/"${ETAG}"`]) {
        const got = await release(other)
        expect([got.status, got.json()['code']]).to.deep.equal([412, 'stale'])
      }
      for (const broken of ['unquoted', `"${ETAG}", unquoted`]) expect((await release(broken)).status).to.equal(400)
      expect((await release(`"1", "${ETAG}"`)).status).to.equal(202)
      expect((await release('"1", "2"')).status).to.equal(412)
    })

    it('are refused by name where nothing has one, and the key of the request is left unused', async () => {
      const create = (headers: Record<string, string>) =>
        server.send({
          method: 'POST',
          path: '/v1/allocations',
          json: examples.allocationRequest,
          headers: { 'idempotency-key': 'key-for-no-version', ...headers },
        })
      const refused = await create({ 'if-match': `"${ETAG}"` })
      expect([refused.status, refused.json()['code']]).to.deep.equal([412, 'stale'])
      expect((await create({ 'if-match': 'unquoted' })).status).to.equal(400)
      const created = await create({ 'if-match': '*' })
      expect([created.status, created.headers['idempotent-replayed']]).to.deep.equal([201, undefined])
    })

    it('must not be there where If-None-Match says *', async () => {
      const put = (id: string, condition = '*') =>
        server.send({
          method: 'PUT',
          path: `/v1/approvals/${id}`,
          json: examples.approvalRequest,
          headers: { 'if-none-match': condition },
        })
      expect((await put('apr-new')).status).to.equal(201)
      expect((await put(KNOWN.approval)).status).to.equal(412)
      expect((await put(KNOWN.approval, '"1"')).json()['errors']).to.have.nested.property(
        '[0].detail',
        'header If-None-Match must be * on a change',
      )
    })
  })

  describe('idempotency keys', () => {
    const create = (key: string, body: object = examples.allocationRequest) =>
      server.send({ method: 'POST', path: '/v1/allocations', json: body, headers: { 'idempotency-key': key } })

    it('replay the first answer whatever the order of members', async () => {
      const first = await create('key-1')
      const reordered = Object.fromEntries(Object.entries(examples.allocationRequest).toReversed())
      const second = await create('key-1', reordered)
      expect([first.status, first.headers['idempotent-replayed']]).to.deep.equal([201, undefined])
      expect([second.status, second.headers['idempotent-replayed']]).to.deep.equal([201, 'true'])
      expect(second.headers.location).to.equal(first.headers.location)
      expect(second.text).to.equal(first.text)
    })

    it('replay a refusal as such', async () => {
      server.failNext('createAllocation', new Refusal('no-capacity', 'No room.', { candidates: [], [REPLAYED]: true }))
      const got = await create('key-3')
      expect([got.status, got.headers['idempotent-replayed']]).to.deep.equal([409, 'true'])
      expect(got.json()).to.deep.include({ code: 'no-capacity', candidates: [] })
    })

    it('are not looked at where nothing is created', async () => {
      const headers = { 'idempotency-key': 'not looked at' }
      const { demand, period } = examples.allocationRequest
      const got = await server.send({
        method: 'POST',
        path: '/v1/placements/preview',
        json: { demand, period },
        headers,
      })
      expect(got.status).to.equal(200)
    })

    it('belong to one body and one path', async () => {
      await create('key-2')
      const other = await create('key-2', { ...examples.allocationRequest, name: 'other' })
      expect([other.status, other.json()['code']]).to.deep.equal([422, 'idempotency-key-reused'])
      const headers = { 'idempotency-key': 'key-2' }
      expect((await server.send({ method: 'POST', path: `${ONE}/release`, headers })).status).to.equal(422)
    })

    for (const key of ['', 'a b', 'x'.repeat(256), 'é']) {
      it(`are refused as ${JSON.stringify(key).slice(0, 12)}`, async () => {
        const got = await create(key)
        expect([got.status, got.json()['code']]).to.deep.equal([400, 'invalid-request'])
      })
    }
  })

  describe('request ids', () => {
    it('are the caller’s own if they are sane', async () => {
      const got = await server.send({ path: '/livez', headers: { 'x-request-id': 'abc-1_2.3' } })
      expect(got.headers['x-request-id']).to.equal('abc-1_2.3')
    })

    for (const id of ['has space', 'x'.repeat(129), '<script>']) {
      it(`are new ones instead of ${id.slice(0, 10)}`, async () => {
        const got = await server.send({ path: '/nowhere', token: null, headers: { 'x-request-id': id } })
        expect(got.headers['x-request-id']).to.match(/^[0-9a-f-]{36}$/)
      })
    }
  })

  describe('answers', () => {
    it('are never stored on the way, and say nothing of express', async () => {
      for (const path of [ONE, '/v1/nowhere']) {
        const { headers } = await server.send({ path })
        expect(headers['cache-control']).to.equal('no-store')
        expect(headers['x-powered-by']).to.equal(undefined)
        expect(headers['x-content-type-options']).to.equal('nosniff')
      }
    })

    it('tell where a new resource is', async () => {
      const made = await server.send({ method: 'PUT', path: '/v1/approvals/new-one', json: examples.approvalRequest })
      expect([made.status, made.headers.location]).to.deep.equal([201, '/v1/approvals/new-one'])
      const replaced = await server.send({
        method: 'PUT',
        path: `/v1/approvals/${KNOWN.approval}`,
        json: examples.approvalRequest,
      })
      expect([replaced.status, replaced.headers.location]).to.deep.equal([200, undefined])
    })

    it('to HEAD have no body', async () => {
      const got = await server.send({ method: 'HEAD', path: ONE })
      expect([got.status, got.text, got.headers.etag]).to.deep.equal([200, '', `"${ETAG}"`])
    })

    it('show nothing of what went wrong inside, and the log has it all', async () => {
      server.failNext('getAllocation', new Error('password=hunter2', { cause: 'the database' }))
      const got = await server.send({ path: ONE, headers: { 'x-request-id': 'find-me' } })
      expect([got.status, got.json()['code']]).to.deep.equal([500, 'internal'])
      expect(got.text).not.to.include('hunter2')
      const { fields } = server.logged.at(-1) ?? {}
      expect(fields).to.include({ requestId: 'find-me', clientId: 'all' })
      expect(fields?.['err']).to.be.instanceOf(Error).with.property('message', 'password=hunter2')
    })

    it('are reported with their declared path', async () => {
      await server.send({ path: ONE })
      expect(server.answered.at(-1)).to.include({ method: 'GET', route: '/v1/allocations/{id}', status: 200 })
      await server.send({ path: '/v1/nowhere' })
      expect(server.answered.at(-1)).to.include({ route: null, status: 404 })
    })
  })
})
