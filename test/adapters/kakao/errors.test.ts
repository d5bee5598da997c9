import { expect } from 'chai'
import { describe, it } from 'mocha'
import { createErrorReader, wordsOf } from '../../../adapters/kakao/errors.ts'
import { NOW, aSettings } from './support.ts'

const CREATE = { what: 'the create of a node', changes: true, creates: true }
const READ = { what: 'the list of nodes', changes: false }
const read = createErrorReader(aSettings(), () => NOW)

const answer = (status: number, message = '', headers: Record<string, string> = {}) => ({
  status,
  headers,
  body: JSON.stringify({ error: { code: 'SomeCode', message } }),
})

describe('errors of kakao', () => {
  for (const [status, message, kind, effect] of [
    [400, 'image does not suit the flavor', 'refused', 'none'],
    [401, 'token expired', 'unauthenticated', 'none'],
    [403, 'you are not allowed to do this', 'unauthenticated', 'none'],
    [403, 'insufficient privileges for this resource', 'unauthenticated', 'none'],
    [400, 'user_data exceeds the maximum length', 'refused', 'none'],
    [400, 'name exceeds the limit of 63 characters', 'refused', 'none'],
    [400, 'The number of servers exceeds the project limit', 'quota-exceeded', 'none'],
    [400, 'Out of stock', 'out-of-capacity', 'none'],
    [403, 'Quota exceeded for instances: Requested 1, but already used 500', 'quota-exceeded', 'none'],
    [400, '인스턴스 할당량을 초과했습니다', 'quota-exceeded', 'none'],
    [409, 'Instance limit exceeded', 'quota-exceeded', 'none'],
    [413, 'Quota exceeded', 'quota-exceeded', 'none'],
    [404, 'Subnet could not be found', 'refused', 'none'],
    [409, 'No valid host was found. There are not enough hosts available.', 'out-of-capacity', 'none'],
    [400, 'Insufficient bare metal resources in kr-central-2-a', 'out-of-capacity', 'none'],
    [409, '가용 자원이 부족합니다', 'out-of-capacity', 'none'],
    [409, 'network interface is not ready', 'busy', 'none'],
    [422, 'field required', 'refused', 'none'],
    [405, 'method not allowed', 'refused', 'none'],
    [408, 'request timeout', 'unreachable', 'maybe'],
    [429, 'too many requests', 'throttled', 'none'],
    [429, 'rate limit exceeded', 'throttled', 'none'],
    [429, 'Quota exceeded for instances', 'quota-exceeded', 'none'],
    [500, 'internal error', 'unreachable', 'maybe'],
    [500, 'quota service is down', 'unreachable', 'maybe'],
    [503, 'unavailable', 'unreachable', 'maybe'],
    [302, 'elsewhere', 'malformed', 'maybe'],
  ] as const) {
    it(`calls a ${status} to a create that says "${message}" ${kind}, effect ${effect}`, () => {
      const error = read(answer(status, message), CREATE)
      expect({ kind: error.kind, effect: error.effect }).to.deep.equal({ kind, effect })
      expect(error.code).to.equal('SomeCode')
      expect(error.providerMessage).to.equal(message)
    })
  }

  for (const [status, kind] of [
    [404, 'not-found'],
    [409, 'busy'],
    [500, 'unreachable'],
  ] as const) {
    it(`calls a ${status} to a read ${kind}, with no effect`, () => {
      expect(read(answer(status), READ)).to.include({ kind, effect: 'none' })
    })
  }

  it('says how long to wait where the operator does, and for a busy one where it does not', () => {
    expect(read(answer(429, '', { 'retry-after': '7' }), READ).retryAfterMs).to.equal(7_000)
    expect(read(answer(429), READ).retryAfterMs).to.equal(null)
    expect(read(answer(409), READ).retryAfterMs).to.equal(2_000)
    expect(read(answer(503, '', { 'retry-after': '2' }), CREATE).retryAfterMs).to.equal(2_000)
  })

  it('does not take a 429 that says when to come back for a quota of nodes', () => {
    expect(read(answer(429, 'quota exceeded', { 'retry-after': '1' }), CREATE).kind).to.equal('throttled')
  })

  it('reads kinds from the configured words', () => {
    const errorWords = { quota: ['^SomeCode budget'], outOfCapacity: ['voll'] }
    const configured = createErrorReader(aSettings({ settings: { errorWords } }), () => NOW)
    expect(configured(answer(400, 'budget used up'), CREATE).kind).to.equal('quota-exceeded')
    expect(configured(answer(409, 'alles VOLL'), CREATE).kind).to.equal('out-of-capacity')
    expect(configured(answer(409, 'No valid host'), CREATE).kind).to.equal('busy')
  })

  it('takes a conflict without words for what the configuration says', () => {
    const configured = createErrorReader(aSettings({ settings: { createConflict: 'out-of-capacity' } }), () => NOW)
    expect(configured(answer(409), CREATE).kind).to.equal('out-of-capacity')
    expect(configured(answer(409), READ).kind).to.equal('busy')
  })

  for (const [shape, body, words] of [
    ['Kakao', { error: { code: 'Conflict', message: 'm' } }, { code: 'Conflict', message: 'm' }],
    ['Keystone', { error: { code: 401, message: 'm', title: 'Unauthorized' } }, { code: '401', message: 'm' }],
    ['Nova', { forbidden: { message: 'Quota exceeded', code: 403 } }, { code: '403', message: 'Quota exceeded' }],
    ['a title only', { error: { title: 'Gone', message: 'm' } }, { code: 'Gone', message: 'm' }],
    [
      'FastAPI',
      { detail: [{ loc: ['body', 0], msg: 'required', type: 'x' }] },
      { code: null, message: 'body.0: required' },
    ],
    ['FastAPI in short', { detail: 'Not Found' }, { code: null, message: 'Not Found' }],
    ['nothing', null, { code: null, message: null }],
    ['a list', [1], { code: null, message: null }],
  ] as const) {
    it(`reads code and message in the form of ${shape}`, () => {
      expect(wordsOf(JSON.stringify(body))).to.deep.equal(words)
    })
  }

  it('gives the status as the code where a gateway answers in HTML', () => {
    expect(read({ status: 502, headers: {}, body: '<html>Bad Gateway</html>' }, READ)).to.include({
      code: '502',
      providerMessage: null,
    })
  })
})
