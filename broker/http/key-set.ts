/**
 * The issuer's public keys. They are fetched again when they are half a minute old, so that one that was withdrawn is soon
 * used no more, and when a token names an unknown one. What is known goes on being used for a day when the issuer does not
 * answer: it issues no tokens then either, and those in use are still good.
 */
import { type JSONWebKeySet, type JWTVerifyGetKey, createLocalJWKSet, errors } from 'jose'
import { Refusal } from '../../shared/refusal.ts'
import { DAY_MS, type EpochMs, SECOND_MS } from '../../shared/time.ts'
import { readBounded } from './read-bounded.ts'

export interface KeySetOptions {
  /** Where the keys are; asked before each fetch, because it may itself have to be discovered. */
  readonly url: () => Promise<URL>
  readonly now: () => EpochMs
  /** Told why the keys could not be fetched. */
  readonly onFailure: (cause: unknown) => void
}

const FRESH_MS = 30 * SECOND_MS
const USABLE_MS = DAY_MS
/** Between two fetches for unknown keys, so that made-up key ids cost little. */
const UNKNOWN_COOL_DOWN_MS = 30 * SECOND_MS
/** Between two fetches from an issuer that is down. */
const FAILURE_COOL_DOWN_MS = SECOND_MS
/** Between two looks at whether the issuer answers, for who watches the broker. */
const LOOKED_AT_MS = 15 * SECOND_MS
const FETCH_TIMEOUT_MS = 5 * SECOND_MS
const MAX_KEY_SET_BYTES = 256 * 1024

interface Known {
  readonly find: JWTVerifyGetKey
  readonly fetchedAt: EpochMs
}

/** How the issuer was found when it was last asked for its keys. */
export type IssuerState = 'ok' | 'no answer' | 'not asked yet'

export interface KeySet extends JWTVerifyGetKey {
  /** Asks again, for the next who wants to know, when the last time was a while ago. */
  state(): IssuerState
}

/** @throws Refusal `unavailable` when no keys are at hand and none can be had */
export function createKeySet({ url, now, onFailure }: KeySetOptions): KeySet {
  let state: IssuerState = 'not asked yet'
  let askedAt = Number.NEGATIVE_INFINITY
  let known: Known | null = null
  let fetching: Promise<void> | null = null
  let failedAt = Number.NEGATIVE_INFINITY
  let soughtAt = Number.NEGATIVE_INFINITY

  async function fetchKeys(): Promise<void> {
    askedAt = now()
    try {
      const response = await fetch(await url(), {
        headers: { accept: 'application/json, application/jwk-set+json' },
        redirect: 'error',
        signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
      })
      if (!response.ok) throw new Error(`the key set answered ${response.status}`)
      const keys = JSON.parse(await readBounded(response, MAX_KEY_SET_BYTES)) as JSONWebKeySet // jose checks the shape
      known = { find: createLocalJWKSet(keys), fetchedAt: now() }
      state = 'ok'
    } catch (cause) {
      state = 'no answer'
      failedAt = now()
      onFailure(cause)
    }
  }

  /** One fetch at a time; everybody waits for the same. */
  async function refresh(): Promise<void> {
    if (now() - failedAt < FAILURE_COOL_DOWN_MS) return
    fetching ??= fetchKeys().finally(() => {
      fetching = null
    })
    await fetching
  }

  function usable(): Known {
    if (known !== null && now() - known.fetchedAt < USABLE_MS) return known
    throw new Refusal('unavailable', 'Tokens cannot be verified just now: the issuer does not hand out its keys.')
  }

  async function freshen(): Promise<void> {
    if (known !== null && now() - known.fetchedAt < FRESH_MS) return
    const fetched = refresh()
    // Who has keys does not wait, token after token, for an issuer that did not answer the last time.
    if (known === null || failedAt < known.fetchedAt) await fetched
  }

  /** Fetches for a key that is not known, or joins a fetch. @returns false when that was done not long ago */
  async function seek(): Promise<boolean> {
    if (fetching === null) {
      if (now() - soughtAt < UNKNOWN_COOL_DOWN_MS) return false
      soughtAt = now()
    }
    await refresh()
    return true
  }

  const find: JWTVerifyGetKey = async (header, token) => {
    const before = known
    await freshen()
    const { find: findKnown } = usable()
    try {
      return await findKnown(header, token)
    } catch (error) {
      // What was fetched for this token just now would be no other.
      if (!(error instanceof errors.JWKSNoMatchingKey) || known !== before || !(await seek())) throw error
      return await usable().find(header, token)
    }
  }
  return Object.assign(find, {
    state() {
      if (now() - askedAt >= LOOKED_AT_MS) void refresh()
      return state
    },
  })
}
