/**
 * The one way to change anything that is decided or announced. Requests that arrive together share one transaction under
 * the calendar's lock (run-groups.ts). A refused member leaves no trace.
 */
import { Refusal } from '../../shared/refusal.ts'
import { currentTraceparent, outsideOfTraces } from '../tracing.ts'
import type { Changes } from '../store/changes.ts'
import type { Ahead } from './ahead.ts'
import { type Answer, type Attempt, type Command } from './command.ts'
import type { KeyedMember, Member, Outcome } from './decide-group.ts'
import { createGroups, type GroupsOptions, type Pending } from './run-groups.ts'

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

export type WriterOptions = Omit<GroupsOptions, 'line' | 'listeners'>

/** Beyond this the broker is overloaded, and waiting longer would only hide it. */
const MAX_WAITING = 2_000

export function createWriter(options: WriterOptions): Writer {
  const line: Pending[] = []
  const listeners: ((changes: Changes) => void)[] = []
  const groups = createGroups({ ...options, line, listeners })
  let running: Promise<void> | null = null
  let closed = false

  const runAll = async (): Promise<void> => {
    let ahead: Ahead<Pending> | null = null
    while (line.length > 0 || ahead !== null) {
      // The embedded database gives the lock without a turn of the event loop: nobody could come while it is waited for.
      if (options.database.engine === 'pglite') await turn()
      ahead = await groups.run(ahead)
    }
    running = null
  }

  const enqueue = (
    member: Member<unknown>,
    { idempotency = null, attempt = null }: Partial<Omit<KeyedMember, 'member'>> = {},
  ): Promise<Outcome & { value: unknown }> => {
    if (closed) return Promise.reject(new Refusal('unavailable', 'The broker is stopping.'))
    if (line.length >= MAX_WAITING) {
      return Promise.reject(new Refusal('unavailable', 'Too many requests wait for a decision.'))
    }
    return new Promise((resolve, reject) => {
      const settle = (outcome: Outcome): void => ('error' in outcome ? reject(outcome.error) : resolve(outcome))
      line.push({ member, idempotency, attempt, traceparent: currentTraceparent(), settle })
      if (running === null) running = outsideOfTraces(runAll)
      else outsideOfTraces(groups.takeMore)
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
      await turn() // the last ones are told in it
    },
  }
}

const turn = (): Promise<void> => new Promise((begin) => void setImmediate(begin))
