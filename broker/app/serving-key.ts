/**
 * Where a page of the waitlist ended, as text: by what the order is made of, not by position, because positions move
 * whenever somebody before it starts or leaves.
 */
import { Priority } from '../../shared/approval.ts'
import { invalidRequest } from '../../shared/refusal.ts'
import type { WaitingEntry } from '../core/calendar-op.ts'

export type ServingKey = Pick<WaitingEntry, 'priority' | 'since' | 'order'>

const SHAPE = /^([a-z]+) ([0-9]{1,15}) ([0-9]{1,15})$/

export const servingKeyText = ({ priority, since, order }: ServingKey): string => `${priority} ${since} ${order}`

/** @throws Refusal `invalid-request` for a text that no page ended with */
export function parseServingKey(text: string): ServingKey {
  const [, word, since, order] = SHAPE.exec(text) ?? []
  const priority = Priority.safeParse(word)
  if (priority.success) return { priority: priority.data, since: Number(since), order: Number(order) }
  throw invalidRequest([{ pointer: '/cursor', detail: 'must be a nextCursor that this list has given' }])
}
