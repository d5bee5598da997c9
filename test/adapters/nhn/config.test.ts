import { expect } from 'chai'
import { describe, it } from 'mocha'
import { NhnSettings } from '../../../adapters/nhn/index.ts'
import { aProvider, settingsOf } from './support.ts'

describe('settings of an NHN provider', () => {
  it('have defaults for what NHN does not publish', () => {
    const settings = settingsOf()
    expect(settings).to.include({ maxBatch: 10, pageSize: 1_000, firstSuffix: 1, capacityFromLimits: false })
    expect(settings.clusters['nhn-b200-510']).to.deep.include({
      rootDisk: { destinationType: 'volume', volumeType: 'General SSD', sizeGb: 100, sendImageRef: true },
      loginUser: 'ubuntu',
    })
  })

  it('take URLs without their last slash', () => {
    const settings = settingsOf({ settings: { computeUrl: 'https://compute.example/v2/' } })
    expect(settings.computeUrl).to.equal('https://compute.example/v2')
  })

  const refusals: readonly { what: string; settings?: object; cluster?: object; path: string }[] = [
    { what: 'a plain http URL', settings: { computeUrl: 'http://nova.example/v2' }, path: 'computeUrl' },
    { what: 'an unknown member', settings: { regoin: 'KR1' }, path: '' },
    { what: 'a cluster without networks', cluster: { networks: [] }, path: 'clusters.nhn-b200-510.networks' },
    {
      what: 'two networks of one name',
      cluster: {
        networks: [
          { name: 'a', interfaces: [{ uuid: 'x' }] },
          { name: 'a', interfaces: [{ uuid: 'y' }] },
        ],
      },
      path: 'clusters.nhn-b200-510.networks',
    },
    {
      what: 'an interface that leads nowhere',
      cluster: { networks: [{ name: 'a', interfaces: [{ fixed_ip: '10.0.0.1' }] }] },
      path: 'clusters.nhn-b200-510.networks.0.interfaces.0',
    },
    {
      what: 'a login user that is no user name',
      cluster: { loginUser: "x'; reboot; '" },
      path: 'clusters.nhn-b200-510.loginUser',
    },
  ]
  for (const { what, settings, cluster, path } of refusals)
    it(`refuse ${what}`, () => {
      const parsed = NhnSettings.safeParse({
        ...settingsOf(),
        ...settings,
        clusters: { 'nhn-b200-510': { ...settingsOf().clusters['nhn-b200-510'], ...cluster } },
      })
      expect(parsed.error?.issues.map((issue) => issue.path.join('.'))).to.deep.equal([path])
    })

  it('lead to the longest visibility delay of their clusters being declared', () => {
    expect(aProvider().capabilities.visibilityDelayMs).to.equal(30_000)
    expect(aProvider({ cluster: { visibilityDelayMs: 90_000 } }).capabilities.visibilityDelayMs).to.equal(90_000)
  })
})
