import { expect } from 'chai'
import { after, before, beforeEach, describe, it } from 'mocha'
import { createCalendarCache } from '../../broker/app/calendar-cache.ts'
import { chained } from '../../broker/app/digest.ts'
import type { HowDecided } from '../../broker/app/run-groups.ts'
import { install } from '../../broker/app/install.ts'
import { createWriter, type Writer } from '../../broker/app/writer.ts'
import { factsOf } from '../../broker/core/calendar-reads.ts'
import { DEFAULT_POLICY } from '../../broker/core/placement/policy.ts'
import { readHead, readLog } from '../../broker/store/head.ts'
import { EMPTY_LOG_DIGEST } from '../../shared/proof.ts'
import { aCluster } from '../core/fleet.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { anApproval, answer, fail, member, refuse, withKey } from './members.ts'

interface Replica {
  readonly writer: Writer
  readonly cache: ReturnType<typeof createCalendarCache>
  /** Of each committed group: its members, and how they were decided. */
  readonly groups: { readonly members: number; readonly how: HowDecided }[]
  /** The next group that is about to be committed waits until it is let go. */
  hold(): { readonly isHeld: Promise<void>; readonly letGo: () => void }
  /** No transaction begins until this is over. */
  during<T>(work: () => Promise<T>): Promise<T>
}

describe('deciding ahead of the lock', () => {
  let database: TestDatabase
  let replica: Replica
  before(async () => {
    database = await openTestDatabase('postgres')
    await install(database, [aCluster({ id: 'c', providerId: 'p' })], 1_000)
  })
  after(() => database.close())
  beforeEach(async () => {
    replica = aReplica(database)
    // It has to know that it is alone: the first group finds a head of which it knows nothing.
    await replica.writer.run(member('first'))
  })

  it('whoever comes while a group is written is decided meanwhile, and is in the next one', async () => {
    const { isHeld, letGo } = replica.hold()
    const first = replica.writer.run(member('a1'))
    await isHeld
    const decided: string[] = []
    const next = ['a2', 'a3'].map((id) => replica.writer.run(member(id, () => void decided.push(id))))
    await until(() => decided.length === 2)
    letGo()
    expect(await Promise.all([first, ...next])).to.deep.equal(['a1', 'a2', 'a3'])
    expect(replica.groups.slice(1)).to.deep.equal([
      { members: 1, how: 'locked' },
      { members: 2, how: 'ahead' },
    ])
    await expectOneOrder(database, replica)
  })

  it('sees what the group before leaves, though nobody else can yet: its approval, its key', async () => {
    const { isHeld, letGo } = replica.hold()
    const first = replica.writer.answer(withKey('one'), answer('b1'))
    await isHeld
    const twin = replica.writer.answer(withKey('one'), answer('b2'))
    let seen: number | undefined
    const found = replica.writer.run<void>({
      needs: { approvals: ['b1'] },
      decide: (draft) => void (seen = draft.approval('b1')?.version),
    })
    await until(() => seen !== undefined)
    letGo()
    expect(await first).to.include({ body: 'b1', replayed: false })
    expect(await twin).to.include({ body: 'b1', replayed: true })
    await found
    expect(seen).to.equal(1)
    expect(replica.groups.at(-1)).to.deep.equal({ members: 2, how: 'ahead' })
  })

  it('takes back what it decided where another replica got the lock first, and decides again', async () => {
    const other = aReplica(database)
    const { isHeld, letGo } = replica.hold()
    const first = replica.writer.run(member('c1'))
    await isHeld
    const seen: number[] = []
    const next = replica.writer.run(member('c3', () => void seen.push(1)))
    await until(() => seen.length === 1)
    await replica.during(async () => {
      letGo()
      await first
      await other.writer.run(member('c2'))
    })
    expect(await next).to.equal('c3')
    expect(seen).to.have.length(2)
    expect(replica.groups.at(-1)).to.deep.equal({ members: 1, how: 'again' })
    await expectOneOrder(database, replica, other)
  })

  it('a plan made on what was taken back is known to be of a calendar that never was', async () => {
    const other = aReplica(database)
    const { isHeld, letGo } = replica.hold()
    const first = replica.writer.run(member('d1'))
    await isHeld
    let isDecided = false
    const next = replica.writer.run(member('d3', () => void (isDecided = true)))
    await until(() => isDecided)
    const kept = await replica.cache.see()
    const { version, takenBack } = kept
    await replica.during(async () => {
      letGo()
      await first
      await other.writer.run(member('d2'))
    })
    await next
    expect(kept.version).to.be.at.least(version)
    expect(kept.takenBack).to.equal(takenBack + 1)
  })

  it('a member that fails takes nobody with it who was decided ahead too', async () => {
    const { isHeld, letGo } = replica.hold()
    const first = replica.writer.run(member('e1'))
    await isHeld
    const next = ['e2', 'e3', 'e4'].map((id) => replica.writer.run(member(id, id === 'e3' ? fail : undefined)))
    letGo()
    const outcomes = await Promise.allSettled([first, ...next])
    expect(outcomes.map((one) => one.status)).to.deep.equal(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
    await expectOneOrder(database, replica)
  })

  it('a refused member is refused once, and leaves no trace in those decided after it', async () => {
    const { isHeld, letGo } = replica.hold()
    const first = replica.writer.run(member('f1'))
    await isHeld
    const decided: string[] = []
    const next = ['f2', 'f3'].map((id) =>
      replica.writer.run(member(id, () => (id === 'f2' ? refuse() : void decided.push(id)))),
    )
    await until(() => decided.length === 1)
    letGo()
    const outcomes = await Promise.allSettled([first, ...next])
    expect(outcomes.map((one) => one.status)).to.deep.equal(['fulfilled', 'rejected', 'fulfilled'])
    expect(replica.groups.at(-1)).to.deep.equal({ members: 2, how: 'ahead' })
    await expectOneOrder(database, replica)
  })

  it('whoever was decided on a group that is not committed is decided again', async () => {
    const { isHeld, letGo } = replica.hold()
    let tries = 0
    const first = replica.writer.run(member('g1'))
    const failing = replica.writer.run({
      needs: { approvals: ['g2'] },
      decide(draft) {
        tries += 1
        // The row is refused by the database, not by the member.
        draft.saveApproval({ ...anApproval('g2', draft), program: null as unknown as string })
        return 'g2'
      },
    })
    await isHeld
    const next = replica.writer.run(member('g3'))
    letGo()
    const outcomes = await Promise.allSettled([first, failing, next])
    expect(outcomes.map((one) => one.status)).to.deep.equal(['fulfilled', 'rejected', 'fulfilled'])
    expect(tries).to.equal(2)
    await expectOneOrder(database, replica)
  })

  it('whoever needs more than an approval waits for the lock, and nobody passes him', async () => {
    const { isHeld, letGo } = replica.hold()
    const order: string[] = []
    const first = replica.writer.run(member('h1'))
    await isHeld
    const next = [
      replica.writer.run(member('h2', () => void order.push('h2'))),
      replica.writer.run({ needs: { waiting: true }, decide: () => void order.push('all who wait') }),
      replica.writer.run(member('h3', () => void order.push('h3'))),
    ]
    letGo()
    await Promise.all([first, ...next])
    expect(order).to.deep.equal(['h2', 'all who wait', 'h3'])
    await expectOneOrder(database, replica)
  })

  it('nobody is decided as of a time long before he came, however long a group takes to be written', async () => {
    let now = 2_000
    const slow = aReplica(database, () => now)
    await slow.writer.run(member('j0'))
    const { isHeld, letGo } = slow.hold()
    const first = slow.writer.run(member('j1'))
    await isHeld
    now += 10_000
    const late = slow.writer.run<number>({ needs: { approvals: ['first'] }, decide: (draft) => draft.now })
    letGo()
    await first
    expect(await late).to.equal(now)
  })

  it('two replicas that decide at the same time, all they can, leave one order', async () => {
    const other = aReplica(database)
    const lanes = Array.from({ length: 12 }, async (_, lane) => {
      const { writer } = lane % 4 === 0 ? other : replica
      for (let nth = 0; nth < 12; nth += 1) {
        await writer.run({ ...member(`i${lane}-${nth}`), needs: { approvals: ['first'] } })
      }
    })
    await Promise.all(lanes)
    await expectOneOrder(database, replica, other)
  })
})

/** @param now default: an instant that stays */
function aReplica(database: TestDatabase, now: () => number = () => 1_000): Replica {
  const cache = createCalendarCache(database, () => 1_000)
  const groups: Replica['groups'] = []
  let gate: { readonly reached: () => void; readonly open: Promise<void> } | null = null
  let begin: Promise<unknown> = Promise.resolve()
  const transaction: TestDatabase['transaction'] = async (work) => {
    await begin
    return database.transaction(work)
  }
  const waiting = Object.create(database, { transaction: { value: transaction } }) as TestDatabase // all else is its own
  const writer = createWriter({
    ...{ database: waiting, cache, policy: DEFAULT_POLICY, now },
    async beforeCommit() {
      const held = gate
      gate = null
      held?.reached()
      await held?.open
    },
    observe: ({ members, how }) => void groups.push({ members, how }),
  })
  return {
    ...{ writer, cache, groups },
    hold() {
      const reached = Promise.withResolvers<void>()
      const open = Promise.withResolvers<void>()
      gate = { reached: reached.resolve, open: open.promise }
      return { isHeld: reached.promise, letGo: open.resolve }
    },
    during(work) {
      const done = work()
      begin = done
      return done
    },
  }
}

/** No gap in any number, a chain that vouches for every operation, and calendars that equal one built from the rows. */
async function expectOneOrder(database: TestDatabase, ...replicas: readonly Replica[]): Promise<void> {
  const events = await database.queries.selectFrom('events').select('sequence').orderBy('sequence').execute()
  expect(events.map((event) => event.sequence)).to.deep.equal(events.map((_, index) => index + 1))
  const log = await readLog(database.queries, 0)
  expect(log.map((entry) => entry.version)).to.deep.equal(log.map((_, index) => index + 1))
  const digest = log.reduce((before, entry) => chained(before, entry.op), EMPTY_LOG_DIGEST)
  const head = await readHead(database.queries)
  expect(head).to.include({ version: log.length, logDigest: digest, eventSequence: events.length })
  const built = factsOf(await createCalendarCache(database, () => 1_000).read())
  for (const { cache } of replicas) expect(factsOf(await cache.read())).to.deep.equal(built)
}

const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await new Promise<void>((next) => void setImmediate(next))
}
