/** The issuer of callers' tokens: whether it is there, is who it says, and lets the broker look opaque tokens up. */
import { SECOND_MS } from '../../shared/time.ts'
import { createIssuer } from '../http/issuer.ts'
import type { Settings } from '../settings.ts'
import { type Examined, fail, ok, sentenceOf, warn } from './check.ts'
import { clockOf } from './clocks.ts'

const WITHIN_MS = 10 * SECOND_MS
const URL_ADVICE =
  'check OIDC_ISSUER, and that this machine may connect there; its discovery document must name itself so'

export async function examineIssuer(oidc: Settings['oidc'], now: () => number): Promise<readonly Examined[]> {
  let cause: unknown = null
  const issuer = createIssuer({
    ...oidc,
    allowInsecureLoopback: oidc.issuer.startsWith('http:'), // the configuration lets only loopback through
    now,
    onFailure: (error) => {
      cause = error
    },
  })
  try {
    const name = await issuer.name()
    const keys = await issuer.keysUrl()
    const looked = [ok('issuer', 'discovery', name), ...(await keySet(keys, now))]
    return [...looked, await introspection(issuer, oidc, () => cause)]
  } catch {
    return [fail('issuer', 'discovery', `${oidc.issuer}: ${sentenceOf(cause ?? 'no answer')}`, URL_ADVICE)]
  }
}

async function keySet(url: URL, now: () => number): Promise<readonly Examined[]> {
  const advice = 'ask whoever runs the issuer: tokens cannot be verified without its keys'
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(WITHIN_MS) })
    const { keys } = (await answer.json()) as { readonly keys?: unknown }
    const date = answer.headers.get('date')
    const clock = clockOf('issuer', date === null ? null : Date.parse(date) - now())
    if (!Array.isArray(keys) || keys.length === 0) return [fail('issuer', 'keys', `none at ${url.href}`, advice), clock]
    return [ok('issuer', 'keys', `${keys.length} ${keys.length === 1 ? 'key' : 'keys'}`), clock]
  } catch (error) {
    return [fail('issuer', 'keys', `${url.href}: ${sentenceOf(error)}`, advice)]
  }
}

/** A token that nobody has issued is answered with `active: false`, if the broker's own client is let in. */
async function introspection(
  issuer: ReturnType<typeof createIssuer>,
  { introspection: client }: Settings['oidc'],
  cause: () => unknown,
): Promise<Examined> {
  if (client === null) {
    return warn(
      'issuer',
      'introspection',
      'not configured: opaque tokens are refused',
      'fine where all tokens are JWTs',
    )
  }
  return issuer.introspect('doctor').then(
    () => ok('issuer', 'introspection', `as ${client.clientId}`),
    () =>
      fail(
        'issuer',
        'introspection',
        sentenceOf(cause() ?? 'no answer'),
        'check OIDC_CLIENT_ID and OIDC_CLIENT_SECRET, and that this client may introspect',
      ),
  )
}
