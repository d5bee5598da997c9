import { expect } from 'chai'
import { describe, it } from 'mocha'
import { toProviderError } from '../../../adapters/nhn/errors.ts'
import type { ProviderError } from '../../../shared/provider-error.ts'

interface Answered {
  readonly status: number
  readonly body: string | object
  readonly headers?: Readonly<Record<string, string>>
  readonly changes?: boolean
}

const errorOf = ({ status, body, headers = {}, changes = true }: Answered): ProviderError =>
  toProviderError(
    { status, headers, body: typeof body === 'string' ? body : JSON.stringify(body) },
    { asked: 'creating servers', changes, now: Date.parse('2026-11-23T12:00:00Z'), secrets: ['the-password'] },
  )

const fault = (root: string, code: number, message: string): object => ({ [root]: { message, code } })

const CASES: readonly (Answered & { readonly kind: string; readonly effect: string })[] = [
  {
    status: 400,
    body: fault('badRequest', 400, 'Missing Block Device Mapping attribute'),
    kind: 'refused',
    effect: 'none',
  },
  { status: 401, body: 'Authentication required', kind: 'unauthenticated', effect: 'none' },
  {
    status: 403,
    body: fault('forbidden', 403, 'Quota exceeded for cores: Requested 8, but already used 96 of 100 cores'),
    kind: 'quota-exceeded',
    effect: 'none',
  },
  {
    status: 403,
    body: fault('forbidden', 403, 'Resource servers is over limit of 10 due to current usage 10 and delta 2'),
    kind: 'quota-exceeded',
    effect: 'none',
  },
  {
    status: 403,
    body: fault('forbidden', 403, 'Only volume-backed servers are allowed for flavors with zero disk.'),
    kind: 'refused',
    effect: 'none',
  },
  { status: 403, body: fault('overLimit', 403, 'over'), kind: 'quota-exceeded', effect: 'none' },
  { status: 413, body: fault('overLimit', 413, 'Quota exceeded'), kind: 'quota-exceeded', effect: 'none' },
  {
    status: 413,
    body: { overLimit: { code: 413, message: 'This request was rate-limited.', retryAfter: '3' } },
    kind: 'throttled',
    effect: 'none',
  },
  { status: 404, body: fault('itemNotFound', 404, 'gone'), kind: 'refused', effect: 'none' },
  { status: 408, body: '', kind: 'unreachable', effect: 'none' },
  { status: 409, body: fault('conflictingRequest', 409, 'vm_state'), kind: 'busy', effect: 'none' },
  {
    status: 409,
    body: { NeutronError: { type: 'OverQuota', message: "Quota exceeded for resources: ['port'].", detail: '' } },
    kind: 'quota-exceeded',
    effect: 'none',
  },
  { status: 429, body: fault('overLimit', 429, 'slow down'), kind: 'throttled', effect: 'none' },
  {
    status: 400,
    body: fault('badRequest', 400, 'No valid host was found.'),
    kind: 'out-of-capacity',
    effect: 'none',
  },
  { status: 500, body: fault('computeFault', 500, 'Unexpected API Error.'), kind: 'unreachable', effect: 'maybe' },
  { status: 502, body: '<html>Bad Gateway</html>', kind: 'unreachable', effect: 'maybe' },
  { status: 503, body: '', changes: false, kind: 'unreachable', effect: 'none' },
  { status: 302, body: '', kind: 'malformed', effect: 'maybe' },
  { status: 300, body: '{"choices":[]}', changes: false, kind: 'malformed', effect: 'none' },
]

describe('what NHN refuses with', () => {
  for (const answered of CASES)
    it(`is ${answered.kind}, effect ${answered.effect}, with ${answered.status} ${JSON.stringify(answered.body)}`, () => {
      expect(errorOf(answered)).to.include({ kind: answered.kind, effect: answered.effect })
    })

  it('keeps the operator\u2019s own code and words', () => {
    const error = errorOf({ status: 400, body: fault('badRequest', 400, 'Invalid flavorRef provided.') })
    expect(error).to.include({ code: 'badRequest', providerMessage: 'Invalid flavorRef provided.' })
    expect(errorOf({ status: 502, body: '<html>' })).to.include({ code: '502', providerMessage: null })
    const neutron = { NeutronError: { type: 'PortNotFound', message: 'Port x could not be found.', detail: '' } }
    expect(errorOf({ status: 404, body: neutron })).to.include({ code: 'PortNotFound' })
  })

  it('says how long to wait, from the header before the body, but never for a quota', () => {
    const body = { overLimit: { code: 429, message: 'slow down', retryAfter: '9' } }
    expect(errorOf({ status: 429, body, headers: { 'retry-after': '2' } }).retryAfterMs).to.equal(2_000)
    expect(errorOf({ status: 429, body }).retryAfterMs).to.equal(9_000)
    expect(errorOf({ status: 429, body: '' }).retryAfterMs).to.equal(null)
    const quota = fault('overLimit', 413, 'Quota exceeded')
    expect(errorOf({ status: 413, body: quota, headers: { 'retry-after': '0' } }).retryAfterMs).to.equal(null)
  })

  it('shows neither passwords nor long runs that may be tokens, keys or scripts', () => {
    const message = `Invalid user_data ${'QUJD'.repeat(40)} with the-password`
    const { providerMessage } = errorOf({ status: 400, body: fault('badRequest', 400, message) })
    expect(providerMessage).to.equal('Invalid user_data *** with ***')
    const quoted = { error: { message: 'Could not find token: b587ae461278419da6ecc10a2344c8aa', code: 401 } }
    expect(errorOf({ status: 401, body: quoted }).providerMessage).to.equal('Could not find token: ***')
  })
})
