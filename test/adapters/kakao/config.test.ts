import { expect } from 'chai'
import { describe, it } from 'mocha'
import { KakaoSettings } from '../../../adapters/kakao/config.ts'
import { FLAVOR, IMAGE, SUBNET, ZONE, aProvider, aSettings, rawSettings } from './support.ts'

const smallCluster = (changes: object = {}): object => ({
  images: { ubuntu: IMAGE },
  flavorId: FLAVOR,
  zone: ZONE,
  networks: [{ name: 'net-1', subnetId: SUBNET }],
  ...changes,
})

const issueOf = (raw: unknown): string => {
  const issue = KakaoSettings.safeParse(raw).error?.issues[0]
  return `${issue?.path.join('.')}: ${issue?.message}`
}

describe('settings of kakao', () => {
  it('have defaults for all that the documents leave open', () => {
    const { credential } = aSettings()
    const settings = KakaoSettings.parse({ id: 'k', kind: 'kakao', credential, clusters: { c: smallCluster() } })
    expect(settings).to.include({
      iamUrl: 'https://iam.kakaocloud.com',
      bcsUrl: 'https://bcs.kr-central-2.kakaocloud.com',
      volumeUrl: 'https://volume.kr-central-2.kakaocloud.com',
      listLimit: 1_000,
      apiVersion: null,
    })
    expect(settings.clusters['c']).to.include({
      bareMetal: true,
      bonding: true,
      maxBatch: 10,
      visibilityDelayMs: 30_000,
    })
    expect(settings.errorWords.quota).to.include('quota')
  })

  it('declare the smallest batch and the longest delay of the clusters', () => {
    const clusters = {
      a: smallCluster({ maxBatch: 4, visibilityDelayMs: 1_000 }),
      b: smallCluster({ zone: 'kr-central-2-b', maxBatch: 8, visibilityDelayMs: 9_000 }),
    }
    const { capabilities } = aProvider({ settings: { clusters } })
    expect(capabilities).to.include({
      maxBatch: 4,
      visibilityDelayMs: 9_000,
      joinsFabric: false,
      findsByOwner: 'exact',
    })
  })

  for (const [what, changes, said] of [
    ['two clusters of one flavor and zone', { clusters: { a: smallCluster(), b: smallCluster() } }, /b: .*of a:/],
    ['no cluster', { clusters: {} }, /clusters: must have at least one/],
    ['a member that nobody knows', { regoin: 'kr' }, /regoin/],
    ['an http URL that is not loopback', { bcsUrl: 'http://bcs.example' }, /bcsUrl: must be an https URL/],
    ['a pattern that is none', { errorWords: { quota: ['('] } }, /errorWords.quota.0: must be a regular expression/],
    ['no secret', { credential: { id: 'x', secret: '' } }, /credential.secret/],
  ] as const) {
    it(`refuse ${what}, naming the member`, () => {
      expect(issueOf({ ...rawSettings(), ...changes })).to.match(said)
    })
  }

  it('refuse a network named twice and a cluster without one', () => {
    const network = { name: 'net-1', subnetId: SUBNET }
    const withNetworks = (networks: readonly object[]) =>
      issueOf({ ...rawSettings(), clusters: { c: smallCluster({ networks }) } })
    expect(withNetworks([network, network])).to.match(/clusters.c.networks: must not name a network twice/)
    expect(withNetworks([])).to.match(/clusters.c.networks/)
  })
})
