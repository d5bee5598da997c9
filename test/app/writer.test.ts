import { expect } from 'chai'
import { after, before, beforeEach, describe, it } from 'mocha'
import { createCalendarCache } from '../../broker/app/calendar-cache.ts'
import type { Command } from '../../broker/app/command.ts'
import { chained } from '../../broker/app/digest.ts'
import type { Member } from '../../broker/app/decide-group.ts'
import { install } from '../../broker/app/install.ts'
import { createWriter, type Writer } from '../../broker/app/writer.ts'
import { factsOf } from '../../broker/core/calendar-reads.ts'
import { DEFAULT_POLICY } from '../../broker/core/placement/policy.ts'
import type { Changes } from '../../broker/store/changes.ts'
import { isPassing } from '../../broker/store/away.ts'
import { connectDatabase, type Database, openDatabase } from '../../broker/store/database.ts'
import { lockHead, readHead, readLog } from '../../broker/store/head.ts'
import { EMPTY_LOG_DIGEST } from '../../shared/proof.ts'
import type { Refusal } from '../../shared/refusal.ts'
import { aCluster } from '../core/fleet.ts'
import { closeAll } from '../support/close-all.ts'
import { ENGINES, openTestDatabase, type TestDatabase } from '../support/database.ts'
import { answer, fail, member, refuse, withKey } from './members.ts'

const unexpected = (error: Error): never => {
  throw error
}

const CLUSTER = aCluster({ id: 'c', providerId: 'p' })

for (const engine of ENGINES) {
  describe(`deciding in groups, on ${engine}`, () => {
    let database: TestDatabase
    let writer: Writer
    let cache: ReturnType<typeof createCalendarCache>
    let groups: number[]
    before(async () => {
      database = await openTestDatabase(engine)
      await install(database, [CLUSTER], 1_000)
    })
    after(() => database.close())
    beforeEach(() => {
      cache = createCalendarCache(database, () => 1_000)
      groups = []
      writer = createWriter({
        database,
        cache,
        policy: DEFAULT_POLICY,
        now: () => 1_000,
        beforeCommit: async () => {},
        observe: ({ members }) => void groups.push(members),
      })
    })

    const stored = async (): Promise<string[]> =>
      (await database.queries.selectFrom('approvals').select('id').orderBy('id').execute()).map((row) => row.id)
    const outcomes = async (members: readonly Member<string>[]): Promise<string[]> =>
      (await Promise.allSettled(members.map((one) => writer.run(one)))).map((one) =>
        one.status === 'fulfilled' ? one.value : String(one.reason),
      )

    it('commits what arrives together in one transaction', async () => {
      expect(await outcomes([member('a1'), member('a2'), member('a3')])).to.deep.equal(['a1', 'a2', 'a3'])
      expect(groups).to.deep.equal([3])
    })

    it('leaves no trace of a member that is refused, and keeps what came before and after it', async () => {
      expect(await outcomes([member('b1'), member('b2', refuse), member('b3')])).to.deep.equal([
        'b1',
        'Refusal: There is none.',
        'b3',
      ])
      expect(await stored())
        .to.include.members(['b1', 'b3'])
        .and.not.include('b2')
      const calendar = await cache.read()
      expect([...calendar.suspendedProviders])
        .to.include.members(['b1', 'b3'])
        .and.not.include('b2')
    })

    it('runs a group that failed as a whole again member by member: one bug takes nobody with it', async () => {
      const results = await outcomes([member('c1'), member('c2', fail), member('c3')])
      expect(results).to.deep.equal(['c1', 'Error: a bug', 'c3'])
      expect(await stored())
        .to.include.members(['c1', 'c3'])
        .and.not.include('c2')
    })

    it('runs no group again whose database was lost: it may have been committed', async () => {
      let tries = 0
      const lose = (): never => {
        tries += 1
        throw Object.assign(new Error('the server closed the connection'), { code: '57P01' })
      }
      const results = await outcomes([member('j1'), member('j2', lose)])
      expect(results).to.deep.equal(Array(2).fill('Error: the server closed the connection'))
      expect(tries).to.equal(1)
      expect(await stored()).not.to.include.members(['j1'])
    })

    it('keeps a calendar that equals one that is built from the rows', async () => {
      await outcomes([member('d1'), member('d2', refuse), member('d3', fail), member('d4')])
      const kept = factsOf(await cache.read())
      const built = factsOf(await createCalendarCache(database, () => 1_000).read())
      expect(kept).to.deep.equal(built)
    })

    it('numbers events and operations without a gap, refused and failed members or not', async () => {
      await outcomes([member('e1'), member('e2', refuse), member('e3', fail), member('e4')])
      const events = await database.queries.selectFrom('events').select('sequence').orderBy('sequence').execute()
      expect(events.map((event) => event.sequence)).to.deep.equal(events.map((_, index) => index + 1))
      const log = await readLog(database.queries, 0)
      expect(log.map((entry) => entry.version)).to.deep.equal(log.map((_, index) => index + 1))
    })

    it('chains the log of operations, so that its digest vouches for every one of them', async () => {
      await outcomes([member('f1'), member('f2')])
      const log = await readLog(database.queries, 0)
      const digest = log.reduce((before, entry) => chained(before, entry.op), EMPTY_LOG_DIGEST)
      expect((await readHead(database.queries)).logDigest).to.equal(digest)
    })

    it('gives the first answer to a key again, a refusal too, and refuses the key to another request', async () => {
      expect(await writer.answer(withKey('k1'), answer('g1'))).to.deep.equal({
        body: 'g1',
        etag: null,
        replayed: false,
      })
      expect(await writer.answer(withKey('k1'), answer('g2'))).to.deep.equal({ body: 'g1', etag: null, replayed: true })
      const refused = async (command: Command, then?: () => void): Promise<string> =>
        writer.answer(command, answer('g3', then)).then(
          () => 'answered',
          (error: Refusal) => error.code,
        )
      expect(await refused(withKey('k2'), refuse)).to.equal('no-capacity')
      expect(await refused(withKey('k2'))).to.equal('no-capacity')
      expect(await refused(withKey('k2', 'other'))).to.equal('idempotency-key-reused')
      expect(await stored())
        .not.to.include.members(['g2'])
        .and.not.include.members(['g3'])
    })

    it('tells of each commit what it changed, and of none that failed', async () => {
      const told: Changes[] = []
      writer.onCommit((changes) => void told.push(changes))
      await outcomes([member('h1'), member('h2', fail)])
      expect(told.flatMap((changes) => [...changes.approvals.keys()])).to.deep.equal(['h1'])
    })

    it('finishes what it took before it closes, and takes no more', async () => {
      const taken = writer.run(member('i1'))
      await writer.close()
      expect(await taken).to.equal('i1')
      expect(await outcomes([member('i2')])).to.deep.equal(['Refusal: The broker is stopping.'])
    })
  })
}

describe('a lock that does not come', () => {
  it('is waited for once by all of a group, who are told to ask again, and not by each of them', async () => {
    const database = await openTestDatabase('postgres')
    const hasty = await openDatabase({
      ...{ ...database.place, patience: { statementMs: 1_000 } },
      ...{ onLost: unexpected, onBroken: unexpected },
    })
    try {
      await install(database, [CLUSTER], 1_000)
      let waits = 0
      const transaction: Database['transaction'] = (work) => {
        waits += 1
        return hasty.transaction(work)
      }
      const writer = createWriter({
        database: { ...hasty, queries: hasty.queries, transaction },
        cache: createCalendarCache(hasty, () => 1_000),
        ...{ policy: DEFAULT_POLICY, now: () => 1_000, beforeCommit: async () => {}, observe: () => {} },
      })
      const failures = await database.transaction(async (trx) => {
        await lockHead(trx)
        return Promise.allSettled(['k1', 'k2', 'k3'].map((id) => writer.run(member(id))))
      })
      expect(failures.map((one) => one.status === 'rejected' && isPassing(one.reason))).to.deep.equal(
        Array(3).fill(true),
      )
      expect(waits).to.equal(1)
      expect(await writer.run(member('k1'))).to.equal('k1')
    } finally {
      await closeAll(hasty.close, database.close)
    }
  })
})

describe('a database that only reads, as one that another took over from', () => {
  it('is told to ask again, and decided for nobody', async () => {
    const database = await openTestDatabase('postgres')
    await install(database, [CLUSTER], 1_000)
    const url = new URL(database.place.url ?? '')
    url.searchParams.set('options', '-c default_transaction_read_only=on')
    const standby = await connectDatabase({
      ...{ ...database.place, url: url.href },
      ...{ onLost: unexpected, onBroken: unexpected },
    })
    try {
      const cache = createCalendarCache(standby, () => 1_000)
      const writer = createWriter({
        ...{ database: standby, cache, policy: DEFAULT_POLICY, now: () => 1_000 },
        ...{ beforeCommit: async () => {}, observe: () => {} },
      })
      const failure: unknown = await writer.run(member('l1')).catch((error: unknown) => error)
      expect(isPassing(failure)).to.equal(true)
      expect((await cache.read()).suspendedProviders.size).to.equal(0)
    } finally {
      await closeAll(standby.close, database.close)
    }
  })
})
