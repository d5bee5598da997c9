import { expect } from 'chai'
import { describe, it } from 'mocha'
import { asRefusal, problemOf, statusOf } from '../../broker/http/problem.ts'
import { Problem } from '../../shared/problem.ts'
import { REFUSAL_CODES, Refusal, type RefusalCode, invalidRequest } from '../../shared/refusal.ts'

/** As the wire contract has them. */
const STATUS: Readonly<Record<RefusalCode, number>> = {
  'invalid-request': 400,
  unauthorized: 401,
  'insufficient-scope': 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'payload-too-large': 413,
  'unsupported-media-type': 415,
  'approval-unknown': 422,
  'approval-revoked': 422,
  'approval-exceeded': 422,
  'demand-not-whole-nodes': 422,
  unsatisfiable: 422,
  'no-capacity': 409,
  'limit-below-committed': 409,
  'invalid-inventory': 422,
  'not-in-this-status': 409,
  'too-many-webhooks': 409,
  'idempotency-key-reused': 422,
  'idempotency-in-flight': 409,
  'events-gone': 410,
  stale: 412,
  'rate-limited': 429,
  unavailable: 503,
  internal: 500,
}

describe('problem documents', () => {
  for (const code of REFUSAL_CODES) {
    it(`say ${STATUS[code]} for ${code}`, () => {
      const { status, body } = problemOf(new Refusal(code, 'Why.', { extra: 1 }), '/v1/x')
      expect([status, statusOf(code)]).to.deep.equal([STATUS[code], STATUS[code]])
      expect(Problem.parse(body)).to.include({
        type: `/problems/${code}`,
        status,
        detail: 'Why.',
        instance: '/v1/x',
        code,
        extra: 1,
      })
    })
  }

  it('keep their own members whatever a refusal brings', () => {
    const { body } = problemOf(new Refusal('stale', 'Why.', { status: 200, code: 'ok', type: 'x' }), '/')
    expect(body).to.include({ status: 412, code: 'stale', type: '/problems/stale' })
  })

  it('list the faults of a request', () => {
    const errors = [{ pointer: '/a', detail: 'must be b' }]
    expect(problemOf(invalidRequest(errors), '/').body.errors).to.deep.equal(errors)
  })

  it('tell the client what is wrong with its token, in characters that a header can hold', () => {
    const { headers } = problemOf(new Refusal('unauthorized', 'Tokens "…" expired.\n', { error: 'invalid_token' }), '/')
    expect(headers['WWW-Authenticate']).to.equal(
      `Bearer realm="gpu-broker", error="invalid_token", error_description="Tokens ''' expired.'"`,
    )
  })

  it('tell when to ask again for what will pass', () => {
    for (const code of ['unavailable', 'idempotency-in-flight'] as const) {
      expect(problemOf(new Refusal(code, ''), '/').headers).to.have.property('Retry-After')
    }
  })

  it('say nothing of an error that is no refusal', () => {
    const { body } = problemOf(asRefusal(new TypeError('secret')), '/')
    expect(JSON.stringify(body)).not.to.include('secret')
    expect(body.code).to.equal('internal')
  })

  it('tell to ask again where what failed mends by itself, and no more of it', () => {
    const { body, headers } = problemOf(asRefusal(new Error('connect ECONNREFUSED 10.0.0.7'), true), '/')
    expect(JSON.stringify(body)).not.to.include('10.0.0.7')
    expect(body.code).to.equal('unavailable')
    expect(headers).to.have.property('Retry-After')
  })
})
