import { connect } from 'node:net'
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { REFUSAL_CODES } from '../../shared/refusal.ts'
import { type TestServer, startServer } from '../support/http-server.ts'

describe('what needs no token', () => {
  let server: TestServer
  before(async () => {
    server = await startServer()
  })
  after(() => server.close())
  const look = (path: string, headers: Readonly<Record<string, string>> = {}) =>
    server.send({ path, token: null, headers })

  it('includes whether the process lives', async () => {
    const got = await look('/livez')
    expect([got.status, got.json()]).to.deep.equal([200, { status: 'ok' }])
  })

  it('includes whether it is ready, and what was looked at', async () => {
    const got = await look('/readyz')
    expect([got.status, got.json()]).to.deep.equal([200, { status: 'ok', checks: { database: 'ok' } }])
  })

  for (const [rule, ready] of [
    ['is not', async () => ({ ok: false, checks: { database: 'unreachable' } })],
    ['cannot tell', () => Promise.reject(new Error('password=hunter2'))],
  ] as const) {
    it(`answers 503 when it ${rule}`, async () => {
      const unready = await startServer({ ready })
      try {
        const got = await unready.send({ path: '/readyz', token: null })
        expect([got.status, got.json()['status']]).to.deep.equal([503, 'unavailable'])
        expect(got.text).not.to.include('hunter2')
      } finally {
        await unready.close()
      }
    })
  }

  it('includes the OpenAPI document', async () => {
    const got = await look('/openapi.json')
    expect(got.json()).to.include({ openapi: '3.1.0' })
  })

  it('includes the documentation, loaded from this server alone', async () => {
    const page = await look('/docs')
    expect(page.status).to.equal(200)
    expect(page.headers['content-security-policy']).to.include("script-src 'self'").and.not.include('http')
    const links = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '')
    expect(links).to.have.length(4)
    for (const link of links) {
      const got = await look(link)
      expect([link, got.status, got.text === '']).to.deep.equal([link, 200, false])
    }
    expect((await look('/docs/start.js')).text).to.include('/openapi.json')
    expect((await look('/docs/package.json')).status).to.equal(404)
  })

  for (const code of REFUSAL_CODES) {
    it(`explains ${code} in English and Korean`, async () => {
      const page = await look(`/problems/${code}`, { accept: 'text/html' })
      expect([page.status, page.headers['content-type']]).to.deep.equal([200, 'text/html; charset=utf-8'])
      expect(page.text)
        .to.match(/[가-힣]/)
        .and.include(code)
      const data = (await look(`/problems/${code}`, { accept: 'application/json' })).json()
      expect(data).to.include({ code }).and.to.have.all.keys('type', 'code', 'title', 'status', 'en', 'ko')
    })
  }

  it('does not include pages of problems that do not exist', async () => {
    expect((await look('/problems/constructor')).status).to.equal(404)
  })

  const broken: readonly (readonly [string, string, number])[] = [
    ['is no HTTP', 'nonsense\r\n\r\n', 400],
    ['has headers without end', `GET /livez HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(40_000)}\r\n\r\n`, 431],
    ['names two hosts', 'GET /livez HTTP/1.1\r\nHost: x\r\nhOst: x\r\n\r\n', 400],
    ['names no host', 'GET /livez HTTP/1.1\r\n\r\n', 400],
    ['expects what nobody knows', 'GET /livez HTTP/1.1\r\nHost: x\r\nExpect: a-miracle\r\n\r\n', 417],
  ]
  for (const [rule, request, status] of broken) {
    it(`answers what ${rule} with a problem and an id, and ends`, async () => {
      const [head = '', body = ''] = (await exchange(server.port, request)).split('\r\n\r\n')
      expect(head).to.match(new RegExp(`^HTTP/1\\.1 ${status} `))
      expect(head)
        .to.match(/x-request-id: [0-9a-f-]{36}/i)
        .and.match(/content-type: application\/problem\+json/i)
      const problem = JSON.parse(body)
      expect(problem).to.include({ type: '/problems/invalid-request', code: 'invalid-request', status })
      expect(problem.errors).to.deep.equal([{ pointer: '', detail: problem.detail }])
    })
  }
})

/** What is answered to these very bytes, until the other side ends. */
const exchange = (port: number, request: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request))
    let received = ''
    socket.on('data', (part) => {
      received += part.toString()
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(received))
  })
