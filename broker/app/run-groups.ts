/**
 * One group after another, each in a transaction of its own. A group that fails as a whole is run again member by member,
 * so that one bad request never takes another with it, unless the database itself was lost.
 */
import { SECOND_MS } from '../../shared/time.ts'
import { Refusal } from '../../shared/refusal.ts'
import { isDatabaseAway } from '../store/away.ts'
import type { Changes } from '../store/changes.ts'
import type { Database } from '../store/database.ts'
import { type Head, isSameHead, lockHead } from '../store/head.ts'
import { type Span, startSpan } from '../tracing.ts'
import { type Ahead, openAhead } from './ahead.ts'
import { REPLAYED } from './command.ts'
import type { Group, KeyedMember, Outcome } from './decide-group.ts'
import { decideUnderLock, type GroupContext, writeGroup } from './group-commit.ts'

export interface Pending extends KeyedMember {
  readonly settle: (outcome: Outcome) => void
}

/** Under the lock; ahead of it; or ahead of it and then again under it, because somebody else had been there before. */
export type HowDecided = 'locked' | 'ahead' | 'again'

/** One transaction that was committed, for metrics. */
export interface Commit extends Pick<Group, 'changes' | 'decided'> {
  readonly members: number
  /** From when its transaction began. */
  readonly seconds: number
  /** Of them waiting for the calendar's lock. */
  readonly lockSeconds: number
  readonly how: HowDecided
  /** Members that were given their first answer again. */
  readonly replays: number
  /** Of one of the members. */
  readonly traceId: string | null
}

export interface GroupsOptions extends GroupContext {
  readonly database: Database
  /** Who waits, the first in front; who is taken leaves it. */
  readonly line: Pending[]
  /** Called after each commit with what it changed. */
  readonly listeners: readonly ((changes: Changes) => void)[]
  readonly observe: (commit: Commit) => void
}

export interface Groups {
  /** @param ahead what was decided while the one before was written. @returns what was decided while this one was */
  run(ahead: Ahead<Pending> | null): Promise<Ahead<Pending> | null>
  /** Somebody has come: he may be decided at once. */
  takeMore(): void
}

/** Members in one transaction: enough to share its cost, few enough that nobody waits long for the others. */
const MAX_GROUP = 64

interface Turn {
  readonly startedAt: number
  /** Whose transaction it is. */
  members: readonly Pending[]
  spans: readonly Span[]
  lockSeconds: number
  how: HowDecided
}

export function createGroups(options: GroupsOptions): Groups {
  const { line, database, cache } = options
  // Beside a transaction, by another connection; inside one the database gives its own handle only.
  const beside = database.engine === 'postgres' ? database.queries : null
  /** As the last group left it; null: not known. */
  let left: Head | null = null
  let open: Ahead<Pending> | null = null

  /** Who comes while the group is written is decided on what it leaves, unless others decide too. */
  const follow = (group: Group): void => {
    const isAlone = left !== null && isSameHead(group.basis.head, left)
    open =
      beside === null || !isAlone
        ? null
        : openAhead({ line, mostMembers: MAX_GROUP, after: group, queries: beside, context: options })
    open?.takeMore()
  }

  const confirmed = (ahead: Ahead<Pending> | null, head: Head): Ahead<Pending> | null => {
    if (ahead === null) return null
    ahead.close()
    if (ahead.isWhole() && isSameHead(head, ahead.group.basis.head)) {
      cache.confirm()
      return ahead
    }
    ahead.giveBack()
    return null
  }

  /** @param from who waits: the line, or one of those whose group has failed */
  const commit = (turn: Turn, ahead: Ahead<Pending> | null, from: Pending[]): Promise<Group> =>
    database.transaction(async (trx) => {
      const askedAt = performance.now()
      const head = await lockHead(trx)
      turn.lockSeconds = (performance.now() - askedAt) / SECOND_MS
      const decided = confirmed(ahead, head)
      turn.how = decided !== null ? 'ahead' : ahead === null ? 'locked' : 'again'
      turn.members = decided?.taken ?? from.splice(0, MAX_GROUP)
      turn.spans = turn.members.flatMap(spanOf)
      const group = decided?.group ?? (await decideUnderLock(trx, turn.members, { head, context: options }))
      if (from === line) follow(group)
      await writeGroup(trx, group, options)
      return group
    })

  const run = async (ahead: Ahead<Pending> | null, from: Pending[] = line): Promise<Ahead<Pending> | null> => {
    const turn: Turn = { startedAt: performance.now(), members: [], spans: [], lockSeconds: 0, how: 'locked' }
    let group: Group
    try {
      group = await commit(turn, ahead, from)
    } catch (error) {
      await failed(turn, { ahead, from, error })
      return null
    }
    left = group.head()
    tell(options, turn, group)
    if (open !== null && open.taken.length > 0) return open
    open?.close()
    open = null
    return null
  }

  const failed = async (
    turn: Turn,
    { ahead, from, error }: { ahead: Ahead<Pending> | null; from: Pending[]; error: unknown },
  ): Promise<void> => {
    if (open === ahead) open?.close()
    else open?.giveBack()
    open = null
    left = null
    cache.forget()
    for (const span of turn.spans) span.end('not committed')
    const hadLock = turn.members.length > 0
    const members = hadLock ? turn.members : (ahead?.taken ?? from.splice(0, MAX_GROUP))
    // Without the lock each would wait for it again by himself, as long as all of them have. And where the database was lost
    // nobody knows whether the group was committed: run again, it could be done twice.
    if (members.length === 1 || !hadLock || isDatabaseAway(error)) {
      for (const { settle } of members) settle({ error })
      return
    }
    for (const one of members) await run(null, [one])
  }

  return { run: (ahead) => run(ahead), takeMore: () => open?.takeMore() }
}

function tell({ observe, listeners }: GroupsOptions, turn: Turn, group: Group): void {
  const { members, spans, lockSeconds, how } = turn
  const { changes, decided } = group
  // What was due before anybody could decide comes first, and is nobody's.
  const outcomes = group.outcomes.slice(group.outcomes.length - members.length)
  const seconds = (performance.now() - turn.startedAt) / SECOND_MS
  for (const span of spans) {
    span.set({ 'gpu_broker.commit.members': members.length, 'gpu_broker.commit.decided': how })
    span.set({ 'gpu_broker.lock.seconds': lockSeconds })
    span.end(null)
  }
  const traceId = spans[0]?.traceId ?? null
  const replays = outcomes.filter(isReplay).length
  observe({ members: members.length, seconds, lockSeconds, how, decided, replays, changes, traceId })
  for (const listener of listeners) listener(changes)
  // The next transaction goes off first: answering all of them takes as long as several ways to the database.
  setImmediate(() => {
    for (const [index, outcome] of outcomes.entries()) members[index]?.settle(outcome)
  })
}

/** Each member's part of the transaction, in its own trace. */
const spanOf = ({ traceparent }: Pending): readonly Span[] =>
  traceparent === null ? [] : [startSpan({ name: 'decide and commit', parent: traceparent })]

const isReplay = (outcome: Outcome): boolean =>
  'error' in outcome ? outcome.error instanceof Refusal && REPLAYED in outcome.error.members : outcome.replayed
