import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { signatureOf } from '../../../adapters/naver/signature.ts'
import { errorOf } from '../rejection.ts'
import {
  ACCESS_KEY,
  NOW,
  SECRET_KEY,
  aCall,
  aWorld,
  disconnect,
  gatewayError,
  inTurn,
  rows,
  servers,
  tidyUp,
} from './support.ts'

const SCRIPT = 'initScriptContent=%23%21%2Fbin%2Fbash%0A'

const VECTORS = [
  [
    'a read with a query',
    'GET',
    '/vserver/v2/getServerInstanceList?regionCode=KR&serverInstanceNoList.1=12345678&responseFormatType=json',
    '9NPadqGKgZHL4FHvsXR3DGvQ1Rm3ivk57MJe4tV2QBY=',
  ],
  [
    'a form, whose body is not signed',
    'POST',
    '/vserver/v2/createServerInstances',
    'aH3nE4BysZq2lVVdlQYdCgPbcx/tcyxHKOo+ZrT9u+k=',
  ],
  ['a bare path', 'GET', '/vnks/v2/clusters', 'A9J+rSZvNwBwPui0dB4vy2pnTnJ5QbsCzkAIpwKGiwk='],
  [
    'a space as %20',
    'GET',
    `/vserver/v2/createInitScript?${SCRIPT}echo%20ok&responseFormatType=json`,
    'PAs9WVI+GKWFY9QJyTcWzE9dHO/CAkgzQDCC0I8rNbU=',
  ],
  [
    'a space as +',
    'GET',
    `/vserver/v2/createInitScript?${SCRIPT}echo+ok&responseFormatType=json`,
    'teSmnjzLw7N1arWUaDIvRD44vYuA4wZxJG4ZHcUzVPM=',
  ],
] as const

describe("naver's gateway signature", () => {
  beforeEach(disconnect)
  afterEach(tidyUp)

  for (const [what, method, target, signature] of VECTORS) {
    it(`is the documented one for ${what}`, () => {
      const request = { method, target, timestampMs: 1_735_689_600_000, accessKey: ACCESS_KEY, secretKey: SECRET_KEY }
      expect(signatureOf(request)).to.equal(signature)
    })
  }

  it('is sent with the timestamp that it covers, over the bare path of a form', async () => {
    const { provider, asked } = aWorld({ getServerInstanceList: servers() })
    await provider.listNodes({ installationId: 'ins_aaaaaaaaaaaaaaaa' }, aCall())
    const [call] = asked
    const target = '/vserver/v2/getServerInstanceList'
    const request = { method: 'POST', target, timestampMs: NOW, accessKey: ACCESS_KEY, secretKey: SECRET_KEY }
    expect(call?.headers).to.include({
      'x-ncp-apigw-timestamp': String(NOW),
      'x-ncp-iam-access-key': ACCESS_KEY,
      'x-ncp-apigw-signature-v2': signatureOf(request),
      'content-type': 'application/x-www-form-urlencoded',
    })
    expect([...(call?.form.keys() ?? [])].slice(0, 2)).to.deep.equal(['responseFormatType', 'regionCode'])
  })

  it("follows the gateway's clock once when its own is too far off", async () => {
    const gatewayAt = NOW + 20 * 60_000
    const skewed = gatewayError(401, '200', { date: new Date(gatewayAt).toUTCString() })
    const { provider, asked } = aWorld({
      getRegionList: inTurn(skewed, rows('regionList', { regionCode: 'KR' })),
    })
    await provider.ping(aCall())
    await provider.ping(aCall())
    const timestamps = asked.map(({ headers }) => Number(headers['x-ncp-apigw-timestamp']))
    expect(timestamps).to.deep.equal([NOW, gatewayAt, gatewayAt])
  })

  it('does not ask again when the clocks agree and the key is refused', async () => {
    const refused = gatewayError(401, '200', { date: new Date(NOW + 1_000).toUTCString() })
    const { provider, asked } = aWorld({ getRegionList: refused })
    expect((await errorOf(provider.ping(aCall()))).kind).to.equal('unauthenticated')
    expect(asked).to.have.length(1)
  })

  it('asks again only once when the gateway refuses both clocks', async () => {
    const refused = gatewayError(401, '200', { date: new Date(NOW + 20 * 60_000).toUTCString() })
    const { provider, asked } = aWorld({ getRegionList: refused })
    expect((await errorOf(provider.ping(aCall()))).kind).to.equal('unauthenticated')
    expect(asked).to.have.length(2)
  })
})
