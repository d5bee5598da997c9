/** `If-Match` and `If-None-Match: *`: a change is made only to what the caller saw. */
import { Refusal } from '../../shared/refusal.ts'
import type { Command } from './command.ts'
import { etagOf } from './views.ts'

/** @throws Refusal `stale` when the caller saw another version */
export const assertFresh = (command: Command, row: { readonly version: number }): void =>
  assertSeen(command, etagOf(row))

/**
 * The same for what has no version of its own.
 *
 * @param etag as it is now, without quotes
 */
export function assertSeen({ ifMatch, onlyIfAbsent }: Command, etag: string): void {
  if (onlyIfAbsent) throw new Refusal('stale', `It is there already: its ETag is "${etag}".`)
  if (ifMatch === null || ifMatch.includes('*') || ifMatch.includes(etag)) return
  throw new Refusal('stale', `It has changed since: its ETag is now "${etag}".`)
}
