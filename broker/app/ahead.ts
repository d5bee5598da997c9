/**
 * Deciding ahead of the lock: while a group is written, those who come are decided on what it leaves, so that the next
 * group is ready when this one is committed. Whoever then has the lock looks whether the head is what the group before had
 * left. If it is, nobody has decided anything in between, and what was decided ahead is what the lock would have led to;
 * if it is not, all of it is taken back and decided again.
 */
import type { EpochMs } from '../../shared/time.ts'
import { type Changes, noChanges } from '../store/changes.ts'
import type { Queries } from '../store/database.ts'
import { idempotencyKey, type Needs, readNeeds } from '../store/group.ts'
import { type Group, type KeyedMember, openGroup } from './decide-group.ts'
import { type GroupContext, needsOf, whatIsDue } from './group-commit.ts'

export interface Ahead<T extends KeyedMember> {
  readonly group: Group
  /** Of whom the group is, in its order. */
  readonly taken: readonly T[]
  /** Takes from the front of the line whoever can be decided without the lock. */
  takeMore(): void
  /** Nobody is taken any more. */
  close(): void
  /** False: a member failed other than by a refusal. */
  isWhole(): boolean
  /** Nothing of it ever was: whoever was taken is at the front of the line again. To be called unless it is written. */
  giveBack(): void
}

export interface AheadOptions<T> {
  /** Who waits, the first in front. */
  readonly line: T[]
  readonly mostMembers: number
  /** The group that is being written. */
  readonly after: Group
  /** For reading beside the transaction that writes it. */
  readonly queries: Queries
  readonly context: GroupContext
}

/** All of a group are decided as of its first moment. Where the group before takes longer, whoever comes waits for the lock. */
const LONGEST_MS = 250

/** Approvals are handed on from group to group, up to so many: mostly a few are asked for again and again. */
const MOST_APPROVALS = 1_000

/** @returns null where what is due at this instant has to be decided before, under the lock */
export function openAhead<T extends KeyedMember>(options: AheadOptions<T>): Ahead<T> | null {
  const { line, mostMembers, after, queries, context } = options
  const { calendar, policy } = after.basis
  const head = after.head()
  const now: EpochMs = Math.max(context.now(), head.lastAt)
  if (whatIsDue(calendar, now).length > 0) return null
  const rows = leftBy(after)
  const group = openGroup({ calendar, now, head, rows, policy, advance: context.cache.advanceAhead })
  const taken: T[] = []
  const known = new Set([...rows.approvals.keys(), ...rows.idempotency.keys()])
  let isReading = false
  let isClosed = false
  let isSpoiled = false

  const mayTake = (): boolean =>
    !isClosed && !isReading && taken.length < mostMembers && context.now() - now <= LONGEST_MS
  const takeMore = (): void => {
    while (mayTake()) {
      const [first] = line
      if (first === undefined || !canGoAhead(first.member.needs)) return
      if (keysOf(first).some((key) => !known.has(key))) return void read()
      line.shift()
      taken.push(first)
      try {
        group.decide(first)
      } catch {
        spoil() // a bug: alone, under the lock, it fails and takes nobody with it
      }
    }
  }
  const spoil = (): void => {
    isClosed = true
    isSpoiled = true
    context.cache.forget()
  }
  const read = async (): Promise<void> => {
    isReading = true
    const asking = line.slice(0, mostMembers).filter(({ member }) => canGoAhead(member.needs))
    try {
      const found = await readNeeds(queries, asking.map(needsOf))
      for (const [id, row] of found.approvals) if (!known.has(id)) rows.approvals.set(id, row)
      for (const [key, row] of found.idempotency) if (!known.has(key)) rows.idempotency.set(key, row)
      for (const key of asking.flatMap(keysOf)) known.add(key)
      isReading = false
      takeMore()
    } catch {
      isClosed = true // whatever it was, it is met again under the lock, where it has an answer
    }
  }
  return {
    ...{ group, taken, takeMore },
    close: () => void (isClosed = true),
    isWhole: () => !isSpoiled,
    giveBack() {
      isClosed = true
      line.unshift(...taken)
      if (isSpoiled) return
      group.takeBack()
      context.cache.takeBack()
    },
  }
}

/** What it needs changes only together with the head; or two cannot both have it, as with a key. */
const canGoAhead = ({ approvals, ...others }: Needs): boolean =>
  approvals !== undefined && Object.keys(others).length === 0

/** What is to be read for it, by the keys of the rows. */
const keysOf = ({ member, idempotency }: KeyedMember): string[] => [
  ...(member.needs.approvals ?? []),
  ...(idempotency === null ? [] : [idempotencyKey(idempotency)]),
]

/** Rows as the group leaves them: nobody else can see them yet. */
function leftBy({ basis, changes }: Group): Changes {
  const rows = noChanges()
  const approvals = basis.rows.approvals.size > MOST_APPROVALS ? changes.approvals : basis.rows.approvals
  for (const [id, row] of approvals) rows.approvals.set(id, row)
  for (const [key, row] of changes.idempotency) rows.idempotency.set(key, row)
  return rows
}
