import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { Effect, ProviderErrorKind } from '../../../shared/provider-error.ts'
import { complaintIn } from '../../../adapters/naver/wire-errors.ts'
import { errorOf } from '../rejection.ts'
import {
  ACCESS_KEY,
  INSTALLATION,
  SECRET_KEY,
  type Answer,
  aCall,
  aGroup,
  aWorld,
  disconnect,
  expectError,
  gatewayError,
  ok,
  serviceError,
  someSettings,
  tidyUp,
} from './support.ts'

const XML = (code: string) =>
  `<?xml version="1.0" encoding="UTF-8"?><responseError><returnCode>${code}</returnCode><returnMessage>a &lt;b&gt; &amp; c</returnMessage></responseError>`

interface Case {
  readonly what: string
  readonly answer: Answer
  readonly kind: ProviderErrorKind
  /** Of a call that changes something; a read never has any. */
  readonly effect: Effect
}

const CASES: readonly Case[] = [
  { what: 'a bad key', answer: gatewayError(401, '200'), kind: 'unauthenticated', effect: 'none' },
  { what: 'a missing permission', answer: gatewayError(401, '210'), kind: 'unauthenticated', effect: 'none' },
  { what: 'a bad request', answer: gatewayError(400, '100'), kind: 'refused', effect: 'none' },
  { what: 'an unknown action', answer: gatewayError(404, '300'), kind: 'refused', effect: 'none' },
  { what: 'a body too large', answer: gatewayError(413, '430'), kind: 'refused', effect: 'none' },
  { what: 'quota of calls', answer: gatewayError(429, '400'), kind: 'throttled', effect: 'none' },
  { what: 'throttling', answer: gatewayError(429, '410'), kind: 'throttled', effect: 'none' },
  { what: 'the rate limit', answer: gatewayError(429, '420'), kind: 'throttled', effect: 'none' },
  { what: 'the rate limit under another status', answer: gatewayError(503, '420'), kind: 'throttled', effect: 'none' },
  { what: 'a 400 that repeats its status', answer: gatewayError(400, '400'), kind: 'refused', effect: 'none' },
  { what: 'an endpoint error', answer: gatewayError(503, '500'), kind: 'unreachable', effect: 'maybe' },
  { what: 'an endpoint time-out', answer: gatewayError(504, '510'), kind: 'unreachable', effect: 'maybe' },
  { what: 'an unexpected error', answer: gatewayError(500, '900'), kind: 'unreachable', effect: 'maybe' },
  { what: 'a server in operation', answer: serviceError('1100031'), kind: 'busy', effect: 'none' },
  { what: 'a storage in operation', answer: serviceError('1101003'), kind: 'busy', effect: 'none' },
  { what: 'the limit of servers', answer: serviceError('3005004'), kind: 'quota-exceeded', effect: 'none' },
  { what: 'the limit under a 500', answer: serviceError('3005004', 500), kind: 'quota-exceeded', effect: 'maybe' },
  { what: 'a temporary fault', answer: serviceError('1000', 500), kind: 'unreachable', effect: 'maybe' },
  { what: 'an unknown code', answer: serviceError('777777'), kind: 'refused', effect: 'none' },
  { what: 'a stock code from the settings', answer: serviceError('4040'), kind: 'out-of-capacity', effect: 'none' },
  { what: 'a quota code from the settings', answer: serviceError('4041'), kind: 'quota-exceeded', effect: 'none' },
  { what: 'a busy code from the settings', answer: serviceError('4042'), kind: 'busy', effect: 'none' },
  { what: 'a not-found code from the settings', answer: serviceError('4043'), kind: 'not-found', effect: 'none' },
  { what: 'a 404 of a service', answer: serviceError('5', 404), kind: 'not-found', effect: 'none' },
  { what: 'a 404 of nobody', answer: () => [404, '<html></html>'], kind: 'refused', effect: 'none' },
  { what: 'a refusal in XML', answer: () => [400, XML('3005004')], kind: 'quota-exceeded', effect: 'none' },
  { what: 'a 502 of a proxy', answer: () => [502, '<html>Bad Gateway</html>'], kind: 'unreachable', effect: 'maybe' },
  { what: 'a redirect', answer: () => [302, ''], kind: 'malformed', effect: 'maybe' },
  { what: 'a refusal under 200', answer: serviceError('777777', 200), kind: 'refused', effect: 'maybe' },
  { what: 'a return code that is not 0', answer: ok(() => ({ returnCode: 777 })), kind: 'refused', effect: 'maybe' },
  {
    what: 'a success in XML',
    answer: () => [200, '<x><returnCode>0</returnCode></x>'],
    kind: 'malformed',
    effect: 'maybe',
  },
  {
    what: 'a success of another action',
    answer: () => [200, { otherResponse: {} }],
    kind: 'malformed',
    effect: 'maybe',
  },
  { what: 'a success without a list', answer: ok(() => ({ totalRows: 3 })), kind: 'malformed', effect: 'maybe' },
  { what: 'a success that is empty', answer: () => [200, ''], kind: 'malformed', effect: 'maybe' },
]

const settings = someSettings(
  {
    outOfCapacityCodes: ['4040'],
    quotaCodes: ['4041'],
    busyCodes: ['4042'],
    notFoundCodes: ['4043'],
    busyRetryMs: 4_321,
  },
  { fabricPoolNo: undefined },
)

describe("naver's refusals", () => {
  beforeEach(disconnect)
  afterEach(tidyUp)

  for (const { what, answer, kind, effect } of CASES) {
    it(`call ${what} ${kind}, with effect ${effect} when a node was asked for and none when a list was`, async () => {
      const { provider } = aWorld({ createServerInstances: answer, getRegionList: answer }, settings)
      await expectError(provider.createNodes(aGroup({ size: 1 }), aCall()), { kind, effect })
      await expectError(provider.ping(aCall()), { kind, effect: 'none' })
    })
  }

  it('keep the code and the words of the operator', async () => {
    const { provider } = aWorld({ getRegionList: serviceError('1100031') })
    const error = await errorOf(provider.ping(aCall()))
    expect(error.code).to.equal('1100031')
    expect(error.providerMessage).to.equal('what 1100031 says')
  })

  it('say when to ask again: as the operator says, or as the settings say of a busy one', async () => {
    const throttled = aWorld({ getRegionList: gatewayError(429, '420', { 'retry-after': '3' }) })
    expect((await errorOf(throttled.provider.ping(aCall()))).retryAfterMs).to.equal(3_000)
    tidyUp()
    const busy = aWorld({ getRegionList: serviceError('1100031') }, settings)
    expect((await errorOf(busy.provider.ping(aCall()))).retryAfterMs).to.equal(4_321)
  })

  it('never repeat a key, even if the operator does', async () => {
    const answer: Answer = () => [
      400,
      { error: { errorCode: '100', message: `bad ${ACCESS_KEY} with ${SECRET_KEY}`, details: '' } },
    ]
    const error = await errorOf(aWorld({ getRegionList: answer }).provider.ping(aCall()))
    expect(error.providerMessage).to.equal('bad *** with ***')
    expect(JSON.stringify(error) + String(error.stack)).to.not.include(SECRET_KEY)
  })

  it('never take a list that cannot be read for an empty one', async () => {
    const unreadable: readonly Answer[] = [
      ok(() => ({ totalRows: 1 })),
      ok(() => ({ serverInstanceList: null, totalRows: 2 })),
      ok(() => ({ serverInstanceList: {} })),
      ok(() => ({ serverInstanceList: [{ serverName: 'without a number' }] })),
    ]
    for (const answer of unreadable) {
      const { provider } = aWorld({ getServerInstanceList: answer })
      const listing = provider.listNodes({ installationId: INSTALLATION }, aCall())
      await expectError(listing, { kind: 'malformed', effect: 'none' })
      tidyUp()
    }
  })

  it('take a list that is left out, with zero rows counted, for an empty one', async () => {
    const { provider } = aWorld({ getServerInstanceList: ok(() => ({ totalRows: 0 })) })
    expect(await provider.listNodes({ installationId: INSTALLATION }, aCall())).to.deep.equal([])
  })

  it('are read in every shape that was seen', () => {
    const shapes = [
      [
        '{"error":{"errorCode":"210","message":"Permission Denied","details":""}}',
        'gateway',
        '210',
        'Permission Denied',
      ],
      ['{"error":{"errorCode":400,"statusCode":400,"message":"Bad Request"}}', 'gateway', '400', 'Bad Request'],
      ['{"responseError":{"returnCode":"1413","returnMessage":"m"}}', 'service', '1413', 'm'],
      ['{\n  "responseError": {\n    "responseCode": 9,\n    "responseMessage": "m"\n  }\n}', 'service', '9', 'm'],
      [XML('1100031'), 'service', '1100031', 'a <b> & c'],
      ['<error><errorCode>200</errorCode><message><![CDATA[no]]></message></error>', 'gateway', '200', 'no'],
    ] as const
    for (const [body, from, code, message] of shapes)
      expect(complaintIn(body), body).to.deep.equal({ from, code, message })
    for (const body of ['', 'null', '[]', '{}', '<html></html>', '<returnCode>0</returnCode>'])
      expect(complaintIn(body), body).to.equal(null)
  })
})
