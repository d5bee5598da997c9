/**
 * The one way to change anything that is decided or announced. Requests that arrive together share one transaction under
 * the calendar's lock (group-commit.ts). A refused member leaves no trace; a group that fails as a whole is run again
 * member by member, so that one bad request never takes another with it, unless the database itself was lost.
 */
import { Refusal } from '../../shared/refusal.ts'
import { SECOND_MS } from '../../shared/time.ts'
import { isDatabaseAway } from '../store/away.ts'
import { currentTraceparent, outsideOfTraces, type Span, startSpan } from '../tracing.ts'
import type { Database } from '../store/database.ts'
import { type Answer, type Attempt, type Command, REPLAYED } from './command.ts'
import type { Changes } from '../store/changes.ts'
import {
  commitGroup,
  type GroupContext,
  type GroupResult,
  type KeyedMember,
  type Member,
  type Outcome,
} from './group-commit.ts'

export interface Writer {
  /** @throws Refusal as the member did; `unavailable` when too many wait or the broker stops */
  run<T>(member: Member<T>): Promise<T>
  /** As `run`, for a caller: it is in the audit trail, done or refused. */
  perform<T>(attempt: Attempt, member: Member<T>): Promise<T>
  /** As `perform`, under the command's idempotency key. */
  answer<T>(command: Command, member: Member<Omit<Answer<T>, 'replayed'>>): Promise<Answer<T>>
  /** Called after each commit with what it changed. */
  onCommit(listener: (changes: Changes) => void): void
  /** Refuses new members and resolves when those taken are done. */
  close(): Promise<void>
}

export interface WriterOptions extends GroupContext {
  readonly database: Database
  readonly observe: (commit: Commit) => void
}

/** One transaction that was committed, for metrics. */
export interface Commit extends Pick<GroupResult, 'changes' | 'decided'> {
  readonly members: number
  readonly seconds: number
  /** Of them waiting for the calendar's lock. */
  readonly lockSeconds: number
  /** Members that were given their first answer again. */
  readonly replays: number
  /** Of one of the members. */
  readonly traceId: string | null
}

/** Members in one transaction: enough to share its cost, few enough that nobody waits long for the others. */
const MAX_GROUP = 64
/** Beyond this the broker is overloaded, and waiting longer would only hide it. */
const MAX_WAITING = 2_000

interface Pending extends KeyedMember {
  readonly settle: (outcome: Outcome) => void
}

export function createWriter(options: WriterOptions): Writer {
  const waiting: Pending[] = []
  const listeners: ((changes: Changes) => void)[] = []
  let running: Promise<void> | null = null
  let closed = false

  const runAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      // The embedded database gives the lock without a turn of the event loop: nobody could come while it is waited for.
      if (options.database.engine === 'pglite') await new Promise<void>((begin) => void setImmediate(begin))
      await runGroup(options, waiting, listeners)
    }
    running = null
  }

  const enqueue = (
    member: Member<unknown>,
    { idempotency = null, attempt = null }: Partial<Omit<KeyedMember, 'member'>> = {},
  ): Promise<Outcome & { value: unknown }> => {
    if (closed) return Promise.reject(new Refusal('unavailable', 'The broker is stopping.'))
    if (waiting.length >= MAX_WAITING) {
      return Promise.reject(new Refusal('unavailable', 'Too many requests wait for a decision.'))
    }
    return new Promise((resolve, reject) => {
      const settle = (outcome: Outcome): void => ('error' in outcome ? reject(outcome.error) : resolve(outcome))
      waiting.push({ member, idempotency, attempt, traceparent: currentTraceparent(), settle })
      running ??= outsideOfTraces(runAll)
    })
  }

  return {
    run: async <T>(member: Member<T>) => (await enqueue(member)).value as T,
    perform: async <T>(attempt: Attempt, member: Member<T>) => (await enqueue(member, { attempt })).value as T,
    async answer<T>(command: Command, member: Member<Omit<Answer<T>, 'replayed'>>) {
      const key = command.idempotency
      const outcome = await enqueue(member, {
        attempt: command,
        idempotency: key === null ? null : { ...key, clientId: command.caller.clientId },
      })
      const answer = outcome.value as Omit<Answer<T>, 'replayed'>
      return { ...answer, replayed: 'replayed' in outcome && outcome.replayed }
    },
    onCommit: (listener) => void listeners.push(listener),
    async close() {
      closed = true
      await running
    },
  }
}

/** Of those who wait, as many as one group may have. */
async function runGroup(
  options: WriterOptions,
  waiting: Pending[],
  listeners: readonly ((changes: Changes) => void)[],
): Promise<void> {
  const startedAt = performance.now()
  let group: readonly Pending[] = []
  let spans: readonly Span[] = []
  const take = (): readonly Pending[] => {
    group = waiting.splice(0, MAX_GROUP)
    spans = group.flatMap(spanOf)
    return group
  }
  const end = (failure: string | null): void => {
    for (const span of spans) span.end(failure)
  }
  let result: Awaited<ReturnType<typeof commitGroup>>
  try {
    result = await options.database.transaction((trx) => commitGroup(trx, take, options))
  } catch (error) {
    if (group.length === 0) take() // not even the lock could be had
    options.cache.forget()
    end('not committed')
    // Where the database was lost nobody knows whether the group was committed: run again, it could be done twice.
    if (group.length === 1 || isDatabaseAway(error)) return group.forEach(({ settle }) => settle({ error }))
    for (const one of group) await runGroup(options, [one], listeners)
    return
  }
  const { changes, decided, lockSeconds, outcomes } = result
  const seconds = (performance.now() - startedAt) / SECOND_MS
  const replays = outcomes.filter(isReplay).length
  for (const span of spans)
    span.set({ 'gpu_broker.commit.members': group.length, 'gpu_broker.lock.seconds': lockSeconds })
  end(null)
  const traceId = spans[0]?.traceId ?? null
  options.observe({ members: group.length, seconds, lockSeconds, decided, replays, changes, traceId })
  for (const listener of listeners) listener(changes)
  for (const [index, outcome] of outcomes.entries()) group[index]?.settle(outcome)
}

/** Each member's part of the transaction, in its own trace. */
const spanOf = ({ traceparent }: Pending): readonly Span[] =>
  traceparent === null ? [] : [startSpan({ name: 'decide and commit', parent: traceparent })]

const isReplay = (outcome: Outcome): boolean =>
  'error' in outcome ? outcome.error instanceof Refusal && REPLAYED in outcome.error.members : outcome.replayed
