import { expect } from 'chai'
import { after, before, beforeEach, describe, it } from 'mocha'
import { type CalendarCache, createCalendarCache } from '../../broker/app/calendar-cache.ts'
import type { Member } from '../../broker/app/decide-group.ts'
import type { GroupContext } from '../../broker/app/group-commit.ts'
import { install } from '../../broker/app/install.ts'
import { createWriter, type Writer } from '../../broker/app/writer.ts'
import { DEFAULT_POLICY } from '../../broker/core/placement/policy.ts'
import { type Head, lockHead, saveHead } from '../../broker/store/head.ts'
import { aCluster } from '../core/fleet.ts'
import { openAt, openTestDatabase, type TestDatabase } from '../support/database.ts'

interface Hooks {
  /** Default: where it writes. */
  readonly readsFrom: Pick<TestDatabase, 'queries'>
  readonly beforeCommit: GroupContext['beforeCommit']
}

describe('a calendar that is kept', () => {
  let database: TestDatabase
  before(async () => {
    database = await openTestDatabase('postgres')
    await install(database, [aCluster({ id: 'c', providerId: 'p' })], 1_000)
  })
  after(() => database.close())
  beforeEach(() => database.queries.deleteFrom('suspensions').execute())

  interface Replica {
    readonly writer: Writer
    readonly cache: CalendarCache
  }
  const aReplica = ({ readsFrom = database, beforeCommit = async () => {} }: Partial<Hooks> = {}): Replica => {
    const cache = createCalendarCache(readsFrom, () => 1_000)
    const options = { policy: DEFAULT_POLICY, now: () => 1_000, beforeCommit, observe: () => {} }
    return { cache, writer: createWriter({ database, cache, ...options }) }
  }
  const suspend = (providerId: string): Member<void> => ({
    needs: {},
    decide: (draft) => draft.apply({ op: 'suspend-provider', providerId }),
  })
  const suspended = async ({ cache }: Replica): Promise<string[]> =>
    [...(await cache.read()).suspendedProviders].toSorted()

  /** As where a standby takes over that did not have the last commits. */
  const goBack = (head: Head, lost: string): Promise<void> =>
    database.transaction(async (trx) => {
      await trx.deleteFrom('calendarLog').where('version', '>', head.version).execute()
      await trx.deleteFrom('suspensions').where('id', '=', lost).execute()
      await saveHead(trx, head)
    })

  it('follows what others decide, and is not built anew for that', async () => {
    const [one, other] = [aReplica(), aReplica()]
    await one.writer.run(suspend('o1'))
    const calendar = await one.cache.read()
    await other.writer.run(suspend('o2'))
    await one.writer.run(suspend('o3'))
    expect(await one.cache.read()).to.equal(calendar)
    expect(await suspended(one)).to.deep.equal(['o1', 'o2', 'o3'])
  })

  for (const others of [[], ['o1'], ['o1', 'o2']]) {
    it(`is built anew where the store lost its last operation, and has ${others.length} others since`, async () => {
      const [one, other] = [aReplica(), aReplica()]
      await one.writer.run(suspend('kept'))
      const head = await database.transaction(lockHead)
      await one.writer.run(suspend('lost'))
      await goBack(head, 'lost')
      for (const id of others) await other.writer.run(suspend(id))
      await one.writer.run(suspend('next'))
      expect(await suspended(one)).to.deep.equal(['kept', 'next', ...others])
    })
  }

  it('is shown to nobody with what was never committed and what others have committed on top of it', async () => {
    const readsFrom = await openAt(database.place)
    const { isTaken, letGo } = takeAllConnections(readsFrom)
    let seen: Promise<string[]> | undefined
    // It is looked at before a commit that fails, and what it takes to look comes once others have decided.
    const one = aReplica({
      readsFrom,
      async beforeCommit(_, { log }) {
        if (log.some(({ op }) => op.op === 'suspend-provider' && op.providerId === 'kept')) return
        await isTaken
        seen = suspended(one)
        throw new Error('a bug')
      },
    })
    const other = aReplica()
    await one.writer.run(suspend('kept'))
    expect(await one.writer.run(suspend('never')).catch(String)).to.equal('Error: a bug')
    for (const id of ['o1', 'o2']) await other.writer.run(suspend(id))
    letGo()
    expect(await seen).to.deep.equal(['kept', 'o1', 'o2'])
    await readsFrom.close()
  })
})

function takeAllConnections(database: Pick<TestDatabase, 'transaction'>): { isTaken: Promise<unknown>; letGo(): void } {
  const open = Promise.withResolvers<void>()
  const MANY = 10
  const taken = Array.from({ length: MANY }, () => {
    const isTaken = Promise.withResolvers<void>()
    void database.transaction(async () => {
      isTaken.resolve()
      await open.promise
    })
    return isTaken.promise
  })
  return { isTaken: Promise.all(taken), letGo: open.resolve }
}
