/**
 * What nobody outside KakaoCloud can confirm about its API, each as one constant or one knob, so that a fact learnt later
 * is changed in one place and a test can run a client against either answer.
 */

/** Success codes: none is published; these are what a third party's digest and Keystone give. */
export const SUCCESS = {
  create: 202,
  action: 202,
  remove: 204,
  keypair: 201,
  token: 201,
  other: 200,
} as const

/** How a quota refusal looks: Nova's 403, since Kakao publishes none. */
export const QUOTA_REFUSAL = {
  status: 403,
  message: (asked: number, used: number, limit: number): string =>
    `Quota exceeded for instances: Requested ${asked}, but already used ${used} of ${limit} instances`,
} as const

/** The one limit on instances that is published. */
export const INSTANCES_PER_PROJECT = 500
/** Upper bound of `count`; the real one is not published. */
export const MAX_COUNT = 100
/** Pages larger than the official provider asks for are cut to this. */
export const MAX_LIMIT = 1_000

/** What the scheduler writes into the action log. */
export const NO_HOST_MESSAGE = 'No valid host was found. There are not enough hosts available.'
export const BUILD_FAULT_MESSAGE = 'Build of instance aborted: Failed to provision the node: deploy step timed out.'

export interface KakaoKnobs {
  /** How zones are spelled as keys of a flavor's `available`: `kr_central_2_a` or `kr-central-2-a`. */
  readonly availableKeys: 'underscore' | 'hyphen'
  /** Bare metal without a free node: accepted and ending in `error`, or refused with 409 at once. */
  readonly bareMetalShortage: 'async-error' | 'sync-conflict'
  /** For how long lists still hold a row of a deleted instance; null is a quarter of the boot time. */
  readonly deletedRowsLingerMs: number | null
  /** Names of instances made with `count` > 1: suffixed `-1`, `-2`, … or all the same. */
  readonly countNames: 'suffixed' | 'same'
  /** What 202 and 204 of actions carry: nothing, or the JSON text `null`. */
  readonly actionBody: 'empty' | 'null'
  /** A body that breaks the schema: 400 in the service's shape, or 422 in FastAPI's. */
  readonly schemaErrors: 400 | 422
  /** `Retry-After` on 429; null leaves the header out. */
  readonly retryAfterSeconds: number | null
  /** Whether a call without `Content-Type: application/json` is refused, body or not. */
  readonly requireContentType: boolean
  /** Whether answers hold a status and a zone that no document names. */
  readonly futureStrings: boolean
}

export const DEFAULT_KNOBS: KakaoKnobs = {
  availableKeys: 'underscore',
  bareMetalShortage: 'async-error',
  deletedRowsLingerMs: null,
  countNames: 'suffixed',
  actionBody: 'empty',
  schemaErrors: 400,
  retryAfterSeconds: null,
  requireContentType: false,
  futureStrings: false,
}
