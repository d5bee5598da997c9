/** ETags and the conditions that callers attach to them (RFC 9110, section 13). Ours are strong and go unquoted inside. */
import { invalidRequest, Refusal } from '../../shared/refusal.ts'

const ENTITY_TAG = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/

export const quoteEtag = (etag: string): string => `"${etag}"`

/** Whether `If-None-Match` names the version at hand: then the caller has it already. The comparison is the weak one. */
export function matchesNone(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  if (header.trim() === '*') return true
  return tagsOf(header).some((tag) => tag.replace(/^W\//, '') === quoteEtag(etag))
}

/**
 * The tags of `If-Match` without quotes, `*` as it is, null for none. A weak tag never matches (RFC 9110 compares strongly
 * here): it is handed on with its `W/`, which no version of ours has.
 *
 * @throws Refusal `invalid-request` for what is not a list of entity tags
 */
export function ifMatchOf(header: string | undefined): readonly string[] | null {
  if (header === undefined) return null
  if (header.trim() === '*') return ['*']
  return tagsOf(header).map((tag) => {
    if (!ENTITY_TAG.test(tag)) throw invalidRequest([{ pointer: '', detail: 'header If-Match must be ETags or *' }])
    return tag.startsWith('W/') ? tag : tag.slice(1, -1)
  })
}

/**
 * For what makes something, or acts on nothing that has a version: a caller who names one wants no effect unless it holds,
 * and it cannot. `*` says only that the resource is there, as it is.
 *
 * @throws Refusal `stale`
 */
export function assertNamesNone(ifMatch: readonly string[] | null): void {
  if (ifMatch === null || ifMatch.includes('*')) return
  throw new Refusal('stale', 'Nothing here has a version that If-Match could name; leave it out.')
}

/**
 * `If-None-Match: *` on a change: it is to make what is not there yet, and to replace nothing.
 *
 * @throws Refusal `invalid-request` for any other condition: it would be an effect that the caller made depend on it
 */
export function onlyIfAbsent(header: string | undefined): boolean {
  if (header === undefined) return false
  if (header.trim() === '*') return true
  throw invalidRequest([{ pointer: '', detail: 'header If-None-Match must be * on a change' }])
}

// A comma inside a tag would be cut, but no version of ours has one, so such a tag cannot match either way.
const tagsOf = (header: string): string[] => header.split(',').map((tag) => tag.trim())
