/** What is still to come, by its instant; what was put in first comes out first where two are at the same instant. */
import type { EpochMs } from '../../shared/time.ts'

export interface EventHeap<T> {
  put(at: EpochMs, event: T): void
  /** Infinity when there is nothing left. */
  nextAt(): EpochMs
  /** All that are at hand, in their order. */
  takeUntil(now: EpochMs): T[]
}

interface Entry<T> {
  readonly at: EpochMs
  readonly order: number
  readonly event: T
}

export function createEventHeap<T>(): EventHeap<T> {
  const heap: Entry<T>[] = []
  let puts = 0
  const nextAt = (): EpochMs => heap[0]?.at ?? Number.POSITIVE_INFINITY
  return {
    put(at, event) {
      heap.push({ at, order: puts, event })
      puts += 1
      rise(heap)
    },
    nextAt,
    takeUntil(now) {
      const taken: T[] = []
      while (nextAt() <= now) {
        const [first] = heap
        const last = heap.pop()
        if (first === undefined || last === undefined) break
        if (heap.length > 0) {
          heap[0] = last
          sink(heap)
        }
        taken.push(first.event)
      }
      return taken
    },
  }
}

const isBefore = <T>(a: Entry<T>, b: Entry<T>): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

const entryAt = <T>(heap: readonly Entry<T>[], place: number): Entry<T> => heap[place] as Entry<T> // callers stay inside

function swap<T>(heap: Entry<T>[], a: number, b: number): void {
  const kept = entryAt(heap, a)
  heap[a] = entryAt(heap, b)
  heap[b] = kept
}

function rise<T>(heap: Entry<T>[]): void {
  let place = heap.length - 1
  while (place > 0) {
    const above = (place - 1) >> 1
    if (!isBefore(entryAt(heap, place), entryAt(heap, above))) return
    swap(heap, place, above)
    place = above
  }
}

function sink<T>(heap: Entry<T>[]): void {
  let place = 0
  for (;;) {
    const left = 2 * place + 1
    if (left >= heap.length) return
    const right = left + 1
    const least = right < heap.length && isBefore(entryAt(heap, right), entryAt(heap, left)) ? right : left
    if (!isBefore(entryAt(heap, least), entryAt(heap, place))) return
    swap(heap, place, least)
    place = least
  }
}
