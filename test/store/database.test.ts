import { expect } from 'chai'
import { sql } from 'kysely'
import { after, before, describe, it } from 'mocha'
import { isDatabaseAway, whyNoDatabase } from '../../broker/store/away.ts'
import { type Database, openDatabase } from '../../broker/store/database.ts'
import { ensureHead, installationId, readHead } from '../../broker/store/head.ts'
import { closeAll } from '../support/close-all.ts'
import { until } from '../support/api-client.ts'
import {
  type DatabasePlace,
  ENGINES,
  type TestDatabase,
  newDatabasePlace,
  openAt,
  openTestDatabase,
} from '../support/database.ts'

/** Above 2^31, where an engine that hands out strings or bigints would show, and far below 2^53. */
const LARGE = 1_790_000_000_000_123

async function failureOf(work: Promise<unknown>): Promise<Error> {
  try {
    await work
  } catch (error) {
    return error as Error // nothing here throws anything else
  }
  throw new Error('it did not fail')
}

for (const engine of ENGINES) {
  describe(`the database on ${engine}`, () => {
    let database: TestDatabase

    before(async () => {
      database = await openTestDatabase(engine)
      await ensureHead(database.queries, LARGE)
    })
    after(() => database.close())

    it('says which engine it is', () => {
      expect(database.engine).to.equal(engine)
      expect('pglite' in database.raw).to.equal(engine === 'pglite')
    })

    it('puts what is new into every index at once: a list kept for later is walked along by each search', async () => {
      const { rows } = await sql`select relname from pg_class join pg_am on pg_am.oid = relam
        where amname = 'gin' and not coalesce('fastupdate=off' = any(reloptions), false)`.execute(database.queries)
      expect(rows).to.deep.equal([])
    })

    it('gives a bigint column back as the number that was written', async () => {
      expect(await readHead(database.queries)).to.include({ lastAt: LARGE, version: 0 })
    })

    it('gives a count and a literal of eight bytes back as numbers too', async () => {
      const { rows } = await sql`select count(*) as n, ${LARGE}::int8 as large, 1::int8 as small`.execute(
        database.queries,
      )
      expect(rows).to.deep.equal([{ n: 1, large: LARGE, small: 1 }])
    })

    it('keeps what a transaction wrote once it has ended', async () => {
      const answer = await database.transaction(async (trx) => {
        await trx.updateTable('calendarHead').set({ version: 7 }).execute()
        return 'done'
      })
      expect(answer).to.equal('done')
      expect(await readHead(database.queries)).to.include({ version: 7 })
    })

    it('forgets what a transaction wrote before it failed, and passes its error on', async () => {
      const failure = await failureOf(
        database.transaction(async (trx) => {
          await trx.updateTable('calendarHead').set({ version: 99 }).execute()
          throw new RangeError('half-way')
        }),
      )
      expect(failure).to.be.instanceOf(RangeError).with.property('message', 'half-way')
      expect(await readHead(database.queries)).to.not.include({ version: 99 })
    })

    it('throws when the outer handle is used inside a transaction, instead of waiting for itself for ever', async () => {
      const failure = await failureOf(database.transaction(() => readHead(database.queries)))
      expect(failure.message).to.contain('only its own handle')
    })

    it('throws for the outer handle in whatever a transaction calls, however many awaits away', async () => {
      const failure = await failureOf(
        database.transaction(async (trx) => {
          await readHead(trx)
          await Promise.resolve()
          return Promise.all([readHead(trx), (async () => readHead(database.queries))()])
        }),
      )
      expect(failure.message).to.contain('only its own handle')
    })

    it('gives the outer handle back as soon as a transaction has ended', async () => {
      await failureOf(database.transaction(() => readHead(database.queries)))
      expect(await readHead(database.queries)).to.have.property('version')
    })

    it('serves those outside while a transaction runs elsewhere', async () => {
      const answers = await Promise.all([
        database.transaction((trx) => readHead(trx)),
        readHead(database.queries),
        database.transaction((trx) => readHead(trx)),
      ])
      expect(answers.map((head) => head.lastAt)).to.deep.equal([LARGE, LARGE, LARGE])
    })

    it('refuses a second row where there may be only one', async () => {
      const second = sql`insert into installation (singleton, id, created_at) values (false, 'ins_x', 1)`
      expect((await failureOf(second.execute(database.queries))).message).to.contain('check constraint')
    })

    it('keeps the first installation’s id, whatever a later start proposes', async () => {
      const ids: string[] = []
      for (const proposal of ['ins_first', 'ins_second']) ids.push(await installationId(database.queries, proposal, 1))
      expect(ids).to.deep.equal(['ins_first', 'ins_first'])
    })

    it('settles on one id when several starts propose one at once', async () => {
      await sql`delete from installation`.execute(database.queries)
      const proposals = ['ins_a', 'ins_b', 'ins_c']
      const ids = await Promise.all(proposals.map((proposal) => installationId(database.queries, proposal, 1)))
      expect(new Set(ids).size).to.equal(1)
      expect(proposals).to.include(ids[0])
    })

    it('has its rows again after it was closed and opened', async () => {
      const place = await newDatabasePlace(engine)
      const first = await openAt(place)
      await ensureHead(first.queries, LARGE)
      await first.close()
      const second = await openAt(place)
      try {
        expect(await readHead(second.queries)).to.include({ lastAt: LARGE })
      } finally {
        await second.close()
        await place.remove()
      }
    })
  })
}

describe('the migrations', () => {
  it('run once when three replicas start at the same time, and none of them fails', async () => {
    const place = await newDatabasePlace('postgres')
    const replicas: Database[] = await Promise.all([openAt(place), openAt(place), openAt(place)])
    try {
      const [first] = replicas
      const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(
        (first as Database).queries, // there are three
      )
      expect(rows.map((row) => row.name)).to.include('0001-first')
      expect(new Set(rows.map((row) => row.name)).size).to.equal(rows.length)
      for (const replica of replicas) await ensureHead(replica.queries, LARGE)
    } finally {
      await Promise.all(replicas.map((replica) => replica.close()))
      await place.remove()
    }
  })

  it('make the same tables and columns on both engines', async () => {
    const columns = await Promise.all(ENGINES.map(columnsOn))
    expect(columns[0]).to.have.length.greaterThan(50)
    expect(columns[0]).to.deep.equal(columns[1])
  })
})

async function columnsOn(engine: (typeof ENGINES)[number]): Promise<readonly unknown[]> {
  const database = await openTestDatabase(engine)
  try {
    const { rows } = await sql`select table_name, column_name, data_type, is_nullable from information_schema.columns
      where table_schema = 'public' order by table_name, column_name`.execute(database.queries)
    return rows
  } finally {
    await database.close()
  }
}

describe('the database on postgres, started again', () => {
  let place: DatabasePlace
  let database: Database
  const broken: Error[] = []

  before(async () => {
    place = await newDatabasePlace('postgres')
    database = await openDatabase({
      ...place,
      onLost(error) {
        throw error
      },
      onBroken: (error) => void broken.push(error),
    })
  })
  after(() =>
    closeAll(
      () => database.close(),
      () => place.remove(),
    ),
  )

  /** What a server that is killed does to all of its connections, to those of this test alone. */
  const breakAllConnections = () =>
    sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`

  it('fails the transaction whose connection broke, tells of it, and serves the next', async () => {
    const failure = await failureOf(
      database.transaction(async (trx) => {
        await sql`select 1`.execute(trx)
        const other = await openAt(place)
        await breakAllConnections().execute(other.queries)
        await other.close()
        await until(async () => broken.length > 0, Boolean)
        await sql`select 1`.execute(trx)
      }),
    )
    expect(isDatabaseAway(failure), failure.message).to.equal(true)
    expect((await sql<{ n: number }>`select 1 as n`.execute(database.queries)).rows).to.deep.equal([{ n: 1 }])
  })

  it('knows a server that cannot be reached, and takes no mistake of ours for one', async () => {
    const mistake = await failureOf(sql`select nothing`.execute(database.queries))
    expect(isDatabaseAway(mistake), mistake.message).to.equal(false)
    const nowhere = { url: 'postgres://nobody@127.0.0.1:1/nothing', folder: place.folder }
    const away = await failureOf(openAt(nowhere))
    expect(isDatabaseAway(away), away.message).to.equal(true)
  })

  it('says in words why nobody is let in, without the password, and has none for a mistake of ours', async () => {
    const why = async (url: string) => whyNoDatabase(await failureOf(openAt({ url, folder: place.folder })))
    const missing = new URL(String(place.url))
    missing.pathname = '/of-nobody'
    expect(await why(missing.href)).to.equal(
      'the database does not let the broker in (database "of-nobody" does not exist)',
    )
    expect(await why('postgres://nobody:hunter2@127.0.0.1:1/x')).to.equal(
      'the database cannot be reached (connect ECONNREFUSED 127.0.0.1:1)',
    )
    expect(await why('postgres://nobody:hunter2@localhost:1/x')).to.match(/ECONNREFUSED/)
    expect(whyNoDatabase(new Error('migration 0001 failed'))).to.equal(null)
  })
})
