import { expect } from 'chai'
import { CompiledQuery, sql } from 'kysely'
import { after, before, describe, it } from 'mocha'
import type { Transaction } from '../../broker/store/database.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'

describe('a transaction that begins with its first statement', () => {
  let database: TestDatabase
  before(async () => {
    database = await openTestDatabase('postgres')
    await sql`create table late (n int primary key)`.execute(database.queries)
  })
  after(() => database.close())

  const insert = (n: number) => (trx: Transaction) => sql`insert into late values (${n})`.execute(trx)
  const plain = (trx: Transaction, text: string) => trx.executeQuery(CompiledQuery.raw(text, []))
  const stored = async (): Promise<number[]> =>
    (await sql<{ n: number }>`select n from late order by n`.execute(database.queries)).rows.map(({ n }) => n)
  const failure = (work: (trx: Transaction) => Promise<unknown>): Promise<string> =>
    database.transaction(work).then(
      () => 'none',
      (error: unknown) => String(error),
    )

  it('takes back all of it when it fails, whether its first statement has parameters or none', async () => {
    const first = [(trx: Transaction) => plain(trx, 'insert into late values (1)'), insert(2)]
    for (const one of first) {
      const said = await failure(async (trx) => {
        await one(trx)
        await insert(3)(trx)
        throw new Error('a change of mind')
      })
      expect(said).to.equal('Error: a change of mind')
    }
    expect(await stored()).to.deep.equal([])
  })

  it('gives the rows of its first statement, and is one transaction from it on', async () => {
    const found = await database.transaction(async (trx) => [
      await plain(trx, 'select pg_current_xact_id()::text as id'),
      await plain(trx, 'select pg_current_xact_id()::text as id'),
    ])
    const [first, second] = found.map(({ rows }) => rows)
    expect(first).to.have.length(1)
    expect(first).to.deep.equal(second)
  })

  it('leaves the connection as it was when its first statement fails, or when it does nothing at all', async () => {
    expect(await failure((trx) => plain(trx, 'select nothing'))).to.include('column "nothing" does not exist')
    expect(await failure((trx) => sql`select ${1}::int / 0`.execute(trx))).to.include('division by zero')
    await database.transaction(async () => undefined)
    await database.transaction(insert(4))
    expect(await stored()).to.deep.equal([4])
    const { rows } = await sql`select count(*) as open from pg_stat_activity
      where datname = current_database() and state like 'idle in transaction%'`.execute(database.queries)
    expect(rows).to.deep.equal([{ open: 0 }])
  })
})
