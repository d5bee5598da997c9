import { expect } from 'chai'
import { describe, it } from 'mocha'
import { visibilityDelayMsOf } from '../../../adapters/naver/config.ts'
import { NaverSettings } from '../../../adapters/naver/index.ts'
import { someSettings } from './support.ts'

const problemOf = (members: object, cluster: object = {}): string | undefined => {
  const settings = { ...someSettings() } as Record<string, unknown>
  const [first] = Object.values(someSettings().clusters)
  const result = NaverSettings.safeParse({ ...settings, clusters: { c: { ...first, ...cluster } }, ...members })
  return result.success ? undefined : result.error.issues[0]?.path.join('.')
}

describe("naver's settings", () => {
  it('are complete with credentials and a cluster', () => {
    expect(someSettings()).to.include({
      vserverUrl: 'https://ncloud.apigw.ntruss.com/vserver/v2',
      vpcUrl: 'https://ncloud.apigw.ntruss.com/vpc/v2',
      regionCode: 'KR',
      maxBatch: 10,
      pageSize: 1_000,
      firstPage: 1,
    })
  })

  it('name the member that is wrong', () => {
    expect(problemOf({})).to.equal(undefined)
    expect(problemOf({ vserverUrl: 'http://ncloud.example' })).to.equal('vserverUrl')
    expect(problemOf({ secretKey: '' })).to.equal('secretKey')
    expect(problemOf({ clusters: {} })).to.equal('clusters')
    expect(problemOf({ firstPage: 2 })).to.equal('firstPage')
    expect(problemOf({ quotaCodes: ['full'] })).to.equal('quotaCodes.0')
    expect(problemOf({}, { networks: [] })).to.equal('clusters.c.networks')
    expect(problemOf({}, { loginUser: 'root; rm' })).to.equal('clusters.c.loginUser')
    expect(problemOf({}, { vpcNo: 'vpc' })).to.equal('clusters.c.vpcNo')
    expect(problemOf({}, { loginKeyName: '' })).to.equal('clusters.c.loginKeyName')
  })

  it('refuse two networks of one name', () => {
    const network = { name: 'a', subnetNo: '1', accessControlGroupNos: ['2'] }
    expect(problemOf({}, { networks: [network, network] })).to.equal('clusters.c.networks')
  })

  it('refuse further parameters that the adapter sets itself', () => {
    for (const name of ['serverName', 'serverCreateCount', 'networkInterfaceList.1.ip', 'initScriptNo'])
      expect(problemOf({}, { createParameters: { [name]: 'x' } }), name).to.equal(`clusters.c.createParameters.${name}`)
    expect(problemOf({}, { createParameters: { raidTypeName: '5' } })).to.equal(undefined)
  })

  it('declare the longest visibility delay of the clusters', () => {
    const [first] = Object.values(someSettings().clusters)
    const clusters = { a: { ...first, visibilityDelayMs: 7 }, b: { ...first, visibilityDelayMs: 9 } }
    expect(visibilityDelayMsOf(someSettings({ clusters }))).to.equal(9)
    expect(visibilityDelayMsOf(someSettings())).to.equal(120_000)
  })
})
