/**
 * Which addresses events may be sent to. A caller chooses the URL, and the broker stands in a network with things that no
 * caller may reach: so only addresses of the public internet, whatever way they are spelt, and https. ipaddr.js knows the
 * registries of special ranges, and what counts as public is what is in none of them.
 */
import { lookup as resolveName } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import { invalidRequest } from '../../shared/refusal.ts'
import { SECOND_MS } from '../../shared/time.ts'

/** The sentence is for the caller: it says what is wrong with the target and nothing about our network. */
export class ForbiddenTarget extends Error {
  override readonly name = 'ForbiddenTarget'
}

const NOT_PUBLIC = 'the host’s address is private, loopback, link-local or otherwise not public'

/** All of IPv6 that has ever been given out for use on the internet: the rest is in no registry of special ranges either. */
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3')

/** @param address IPv4 or IPv6; an IPv4 address in IPv6 clothes is taken for what it is */
export function isPublic(address: string): boolean {
  const parsed = ipaddr.process(address)
  return parsed.range() === 'unicast' && (parsed instanceof ipaddr.IPv4 || parsed.match(GLOBAL_IPV6))
}

/** Names of this very machine (RFC 6761), whatever its resolver makes of them. */
const isLocalName = (host: string): boolean => /(^|\.)localhost\.?$/.test(host)

export interface TargetRules {
  /** Then any address may be sent to, and http too. */
  readonly allowPrivate: boolean
  /** As `dns.lookup`, which is the default. */
  readonly resolve?: typeof resolveName
}

/** What can be said without asking anybody. @throws ForbiddenTarget */
export function assertSpelling(url: URL, { allowPrivate }: TargetRules): void {
  if (allowPrivate) return
  if (url.protocol !== 'https:') throw new ForbiddenTarget('the URL is not https')
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  if (isIP(host) === 0 ? isLocalName(host) : !isPublic(host)) throw new ForbiddenTarget(NOT_PUBLIC)
}

/**
 * A `lookup` for a connection: it is made to the very addresses that were found good, so a name that resolves to something
 * else a moment later leads nowhere.
 */
export function guardedLookup({ allowPrivate, resolve = resolveName }: TargetRules): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, [])
      if (!allowPrivate && !addresses.every(({ address }) => isPublic(address))) {
        return callback(new ForbiddenTarget(NOT_PUBLIC), [])
      }
      const [first] = addresses
      if (options.all === true || first === undefined) return callback(null, addresses)
      callback(null, first.address, first.family)
    })
  }
}

const LOOKUP_WITHIN_MS = 5 * SECOND_MS

/**
 * At registration: the spelling, and what the name resolves to now. A name that cannot be resolved now may be tomorrow, and
 * is looked at again before each delivery.
 *
 * @throws Refusal `invalid-request` at `/url`
 */
export async function assertTarget(text: string, rules: TargetRules): Promise<void> {
  const url = new URL(text)
  try {
    assertSpelling(url, rules)
    await resolves(url.hostname, rules)
  } catch (error) {
    if (!(error instanceof ForbiddenTarget)) throw error
    throw invalidRequest([{ pointer: '/url', detail: `must be an https URL on the public internet: ${error.message}` }])
  }
}

function resolves(hostname: string, rules: TargetRules): Promise<void> {
  if (hostname.startsWith('[')) return Promise.resolve() // an address, looked at already
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, LOOKUP_WITHIN_MS)
    guardedLookup(rules)(hostname, { all: true }, (error) => {
      clearTimeout(timer)
      if (error instanceof ForbiddenTarget) reject(error)
      else resolve()
    })
  })
}
