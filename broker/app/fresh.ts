/** `If-Match`: a change is made only to what the caller saw. */
import { Refusal } from '../../shared/refusal.ts'
import type { Command } from './command.ts'
import { etagOf } from './views.ts'

/** @throws Refusal `stale` when the caller saw another version */
export function assertFresh(command: Command, row: { readonly version: number }): void {
  if (command.ifMatch === null || command.ifMatch === '*' || command.ifMatch === etagOf(row)) return
  throw new Refusal('stale', `It has changed since: its ETag is now "${etagOf(row)}".`)
}
