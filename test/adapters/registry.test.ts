import { expect } from 'chai'
import { describe, it } from 'mocha'
import { ZodError } from 'zod'
import { PROVIDER_KINDS, createProvider } from '../../adapters/registry.ts'

const CONTEXT = { now: () => Date.parse('2026-12-01T00:00:00Z') }

const KAKAO = {
  id: 'kakao',
  kind: 'kakao',
  credential: { id: 'key', secret: 'a-secret-that-nobody-sees' },
  clusters: {
    'kakao-b200-255': {
      images: { ubuntu: '11111111-1111-4111-8111-111111111111' },
      flavorId: '22222222-2222-4222-8222-222222222222',
      zone: 'kr-central-2-a',
      networks: [{ name: 'net-1', subnetId: '33333333-3333-4333-8333-333333333333' }],
    },
  },
}

function refusalOf(kind: string, rawSettings: unknown): ZodError {
  try {
    createProvider(kind, rawSettings, CONTEXT).close()
  } catch (error) {
    if (error instanceof ZodError) return error
    throw error
  }
  return expect.fail('it was expected to refuse')
}

describe('registry of adapters', () => {
  it('builds a provider of a known kind from its settings, defaults filled in', () => {
    const provider = createProvider('kakao', KAKAO, CONTEXT)
    expect(provider.id).to.equal('kakao')
    expect(provider.capabilities.maxBatch).to.equal(10)
    provider.close()
  })

  it('refuses an unknown kind, and names those that it knows', () => {
    const [issue] = refusalOf('aws', { ...KAKAO, kind: 'aws' }).issues
    expect(issue?.path).to.deep.equal(['kind'])
    expect(issue?.message).to.equal('must be one of: kakao, naver, nhn, remote')
  })

  it('does not take what every object inherits for a kind', () => {
    for (const kind of ['constructor', 'toString', '__proto__']) refusalOf(kind, KAKAO)
  })

  for (const kind of PROVIDER_KINDS) {
    it(`refuses settings of another kind for ${kind}`, () => {
      const paths = refusalOf(kind, { ...KAKAO, kind: 'another' }).issues.map(({ path }) => path.join('.'))
      expect(paths).to.include('kind')
    })
  }

  it('names the member that is not as it should be, and shows no value', () => {
    const zone = { ...KAKAO.clusters['kakao-b200-255'], zone: 7 }
    const error = refusalOf('kakao', { ...KAKAO, clusters: { 'kakao-b200-255': zone } })
    expect(error.issues.map(({ path }) => path.join('.'))).to.deep.equal(['clusters.kakao-b200-255.zone'])
    expect(JSON.stringify(error)).to.not.include('a-secret-that-nobody-sees')
  })
})
