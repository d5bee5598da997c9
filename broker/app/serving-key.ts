/**
 * Where a page of the waitlist ended, as text: by what the order is made of, not by position, because positions move
 * whenever somebody before it starts or leaves.
 */
import { Priority } from '../../shared/approval.ts'
import { invalidRequest } from '../../shared/refusal.ts'
import type { Served } from '../core/waitlist.ts'

const SHAPE = /^([a-z]+) ([0-9]{1,15}) ([0-9]{1,15}) ([0-9]{1,15})$/

export const servingKeyText = ({ priority, standing, since, order }: Served): string =>
  `${priority} ${standing} ${since} ${order}`

/** @throws Refusal `invalid-request` for a text that no page ended with */
export function parseServingKey(text: string): Served {
  const [, word, standing, since, order] = SHAPE.exec(text) ?? []
  const priority = Priority.safeParse(word)
  if (priority.success)
    return { priority: priority.data, standing: Number(standing), since: Number(since), order: Number(order) }
  throw invalidRequest([{ pointer: '/cursor', detail: 'must be a nextCursor that this list has given' }])
}
