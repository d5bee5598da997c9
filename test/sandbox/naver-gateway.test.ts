import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { authenticate, sign } from '../../deploy/sandbox/naver-signature.ts'
import { toXml } from '../../deploy/sandbox/naver-wire.ts'
import { NAVER } from '../../deploy/sandbox/settings.ts'
import { openAccount } from './naver-account.ts'
import type { Account, Answer } from './naver-account.ts'

const LIST = '/vserver/v2/getServerInstanceList?responseFormatType=json'

const errorCode = ({ status, text }: Answer): string => {
  const body = JSON.parse(text) as { error: { errorCode: string } }
  return `${status}/${body.error.errorCode}`
}

describe('simulated Naver: signature', () => {
  const key = { accessKey: 'TESTACCESSKEY0000001', timestamp: '1735689600000' }
  const secret = 'testSecretKey0000000000000000000000000001'
  const script = '/vserver/v2/createInitScript?initScriptContent=%23%21%2Fbin%2Fbash%0Aecho'
  for (const [what, method, target, signature] of [
    [
      'a list by GET',
      'GET',
      '/vserver/v2/getServerInstanceList?regionCode=KR&serverInstanceNoList.1=12345678&responseFormatType=json',
      '9NPadqGKgZHL4FHvsXR3DGvQ1Rm3ivk57MJe4tV2QBY=',
    ],
    ['a form by POST', 'POST', '/vserver/v2/createServerInstances', 'aH3nE4BysZq2lVVdlQYdCgPbcx/tcyxHKOo+ZrT9u+k='],
    ['a path alone', 'GET', '/vnks/v2/clusters', 'A9J+rSZvNwBwPui0dB4vy2pnTnJ5QbsCzkAIpwKGiwk='],
    ['a space as %20', 'GET', `${script}%20ok&responseFormatType=json`, 'PAs9WVI+GKWFY9QJyTcWzE9dHO/CAkgzQDCC0I8rNbU='],
    ['a space as +', 'GET', `${script}+ok&responseFormatType=json`, 'teSmnjzLw7N1arWUaDIvRD44vYuA4wZxJG4ZHcUzVPM='],
  ] as const) {
    it(`of ${what} is the one that was computed elsewhere`, () => {
      expect(sign({ method, target, ...key }, secret)).to.equal(signature)
    })
  }
})

describe('simulated Naver: skew', () => {
  it('may be exactly five minutes either way, and not a millisecond more', () => {
    const timestamp = '1735689600000'
    const signature = sign({ method: 'GET', target: '/', timestamp, accessKey: 'key' }, 'secret')
    const headers = {
      'x-ncp-apigw-timestamp': timestamp,
      'x-ncp-iam-access-key': 'key',
      'x-ncp-apigw-signature-v2': signature,
    }
    const takenAt = (offByMs: number): string | null =>
      authenticate(
        { method: 'GET', target: '/', headers },
        { secretOf: () => 'secret', nowMs: Number(timestamp) + offByMs },
      )
    expect([-300_000, 300_000].map(takenAt)).to.deep.equal(['key', 'key'])
    expect([-300_001, 300_001].map(takenAt)).to.deep.equal([null, null])
  })
})

describe('simulated Naver: gateway', () => {
  let account: Account
  before(async () => {
    account = await openAccount()
  })
  after(() => account.close())

  it('takes a signed GET, and the older header name', async () => {
    expect((await account.raw('GET', LIST)).status).to.equal(200)
    expect((await account.raw('GET', LIST, { signatureHeader: 'x-ncp-apigw-signature-v1' })).status).to.equal(200)
  })

  it('takes a POST with a form that is not signed, and one with a query that is', async () => {
    const path = '/vserver/v2/getRegionList'
    expect((await account.raw('POST', path, { form: 'responseFormatType=json' })).status).to.equal(200)
    expect((await account.raw('POST', `${path}?regionCode=KR`, { form: 'responseFormatType=json' })).text).to.match(
      /^\{/,
    )
  })

  it('signs the target as transmitted, whichever way a space is written', async () => {
    for (const space of ['%20', '+']) {
      const answer = await account.raw('GET', `${LIST}&serverName=a${space}b`)
      expect(answer.status).to.equal(200)
    }
  })

  it('refuses a tampered target, a wrong secret, an unknown key and a missing header alike', async () => {
    const wrong = [
      await account.raw('GET', LIST, { secretKey: 'another' }),
      await account.raw('GET', LIST, { accessKey: 'SANDBOXNAVERKEY99999' }),
      await account.raw('GET', LIST, { headers: { 'x-ncp-apigw-timestamp': 'now' } }),
      await account.raw('GET', LIST, { signatureHeader: 'x-signature' }),
    ]
    const timestamp = String(Date.now())
    const signature = sign({ method: 'GET', target: LIST, timestamp, accessKey: NAVER.accessKey }, NAVER.secretKey)
    const tampered = await fetch(`${account.url}${LIST}&serverName=x`, {
      headers: {
        'x-ncp-apigw-timestamp': timestamp,
        'x-ncp-iam-access-key': NAVER.accessKey,
        'x-ncp-apigw-signature-v2': signature,
      },
    })
    wrong.push({ status: tampered.status, text: await tampered.text(), headers: tampered.headers })
    expect(wrong.map(errorCode)).to.deep.equal(Array(5).fill('401/200'))
  })

  it('takes a clock that is almost five minutes off and refuses one that is more', async () => {
    const now = Date.now()
    for (const offByMs of [-295_000, 295_000]) {
      expect((await account.raw('GET', LIST, { atMs: now + offByMs })).status).to.equal(200)
    }
    for (const offByMs of [-301_000, 310_000]) {
      expect(errorCode(await account.raw('GET', LIST, { atMs: now + offByMs }))).to.equal('401/200')
    }
  })

  it('shows its own clock in the Date header, also of a refusal for skew', async () => {
    const shifted = await openAccount()
    try {
      await shifted.pass(3_600_000)
      const answer = await shifted.raw('GET', LIST, { atMs: Date.now() })
      expect(errorCode(answer)).to.equal('401/200')
      const shown = Date.parse(answer.headers.get('date') ?? '')
      expect(Math.abs(shown - Date.now() - 3_600_000)).to.be.lessThan(60_000)
    } finally {
      await shifted.close()
    }
  })

  it('knows actions by their service, and no other method than GET and POST', async () => {
    for (const target of ['/vserver/v2/getVpcList', '/vpc/v2/getServerInstanceList', '/vserver/v2/constructor', '/']) {
      expect(errorCode(await account.raw('GET', `${target}?responseFormatType=json`))).to.equal('404/300')
    }
    expect(errorCode(await account.raw('DELETE', LIST))).to.equal('404/300')
  })

  it('lets a key for reading read, and denies it changes', async () => {
    const viewer = { accessKey: 'SANDBOXNAVERVIEW0001', secretKey: 'sandbox-naver-viewer-not-a-secret' }
    expect((await account.raw('GET', LIST, viewer)).status).to.equal(200)
    const change = '/vserver/v2/createLoginKey?keyName=abc&responseFormatType=json'
    expect(errorCode(await account.raw('GET', change, viewer))).to.equal('401/210')
  })

  it('refuses a body that is not a form', async () => {
    const answer = await account.raw('POST', LIST, { form: '{}', headers: { 'content-type': 'application/json' } })
    expect(errorCode(answer)).to.equal('400/100')
  })

  it('refuses a form that is larger than any action needs', async () => {
    const answer = await account.raw('POST', LIST, { form: `a=${'x'.repeat(3_600_000)}` })
    expect(errorCode(answer)).to.equal('413/430')
  })

  it('answers 429 with its own code beyond the rate', async () => {
    await account.behave({ ratePerSecond: 1 })
    const answers = [await account.raw('GET', LIST), await account.raw('GET', LIST), await account.raw('GET', LIST)]
    await account.behave({})
    const limited = answers.filter(({ status }) => status === 429)
    expect(limited.map(errorCode)[0]).to.equal('429/420')
  })
})

describe('simulated Naver: answers', () => {
  let account: Account
  before(async () => {
    account = await openAccount()
  })
  after(() => account.close())

  it('are XML unless JSON is asked for: success and both shapes of error', async () => {
    const success = await account.raw('GET', '/vserver/v2/getRegionList')
    expect(success.headers.get('content-type')).to.match(/^application\/xml/)
    expect(success.text).to.match(/^<\?xml.*<getRegionListResponse><requestId>[0-9a-f-]{36}<\/requestId>/)
    expect(success.text).to.contain('<regionList><region><regionCode>KR</regionCode>')
    const service = await account.raw('GET', '/vserver/v2/getServerInstanceDetail')
    expect(service.status).to.equal(400)
    expect(service.text).to.match(/<responseError><returnCode>\d+<\/returnCode><returnMessage>/)
    const gateway = await account.raw('GET', '/vserver/v2/nothing')
    expect(gateway.text).to.contain('<error><errorCode>300</errorCode><message>Not Found Exception</message>')
  })

  it('wrap a JSON success in the name of the action, with the return code as a text', async () => {
    const answer = await account.raw('GET', '/vserver/v2/getZoneList?regionCode=KR&responseFormatType=json')
    const body = JSON.parse(answer.text) as { getZoneListResponse: Record<string, unknown> }
    const { requestId, ...rest } = body.getZoneListResponse
    expect(requestId).to.match(/^[0-9a-f-]{36}$/)
    expect(rest).to.deep.include({ returnCode: '0', returnMessage: 'success', totalRows: 1 })
  })

  it('print JSON refusals of a service over several lines', async () => {
    const answer = await account.raw('GET', '/vserver/v2/getServerInstanceDetail?responseFormatType=json')
    expect(answer.text).to.match(/^\{\n\s+"responseError": \{\n/)
  })

  it('refuse a region that there is not', async () => {
    expect(await account.refusal('getZoneList', { regionCode: 'XX' })).to.equal('1000101')
  })

  it('escape what XML would take for itself', () => {
    expect(toXml({ name: `<&"'>`, noList: ['1', '2'] })).to.equal(
      '<name>&lt;&amp;&quot;&apos;&gt;</name><noList><no>1</no><no>2</no></noList>',
    )
  })
})
