import { expect } from 'chai'
import { CompiledQuery, sql } from 'kysely'
import { after, before, describe, it } from 'mocha'
import type { Transaction } from '../../broker/store/database.ts'
import { PREPARED } from '../../broker/store/prepared.ts'
import { writeRows } from '../../broker/store/rows.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'

describe('statements that are kept', () => {
  let database: TestDatabase
  before(async () => {
    database = await openTestDatabase('postgres')
    await sql`create table kept (id int primary key, said text)`.execute(database.queries)
  })
  after(() => database.close())

  /** All in one transaction, and so by one connection: what is kept is kept by each for itself. */
  const keptAfter = (work: (trx: Transaction) => Promise<unknown>): Promise<string[]> =>
    database.transaction(async (trx) => {
      await work(trx)
      const { rows } = await sql<{ statement: string }>`select statement from pg_prepared_statements`.execute(trx)
      return rows.map(({ statement }) => statement)
    })

  it('are those that are marked, each once, however often it is used', async () => {
    const marked = `${PREPARED}select $1::int + 1`
    const kept = await keptAfter(async (trx) => {
      for (const one of [1, 2, 3]) await trx.executeQuery(CompiledQuery.raw(marked, [one]))
      await trx.executeQuery(CompiledQuery.raw('select $1::int + 2', [1]))
    })
    expect(kept.filter((text) => text === marked)).to.have.length(1)
    expect(kept.filter((text) => text.includes('+ 2'))).to.deep.equal([])
  })

  it('go on writing when another version of the broker has added a column meanwhile', async () => {
    const write = (id: number) => (trx: Transaction) => writeRows(trx, [{ table: 'kept', rows: [{ id, said: 'it' }] }])
    for (const id of [1, 2, 3, 4, 5, 6, 7]) expect((await keptAfter(write(id))).join()).to.include('"kept"')
    await sql`alter table kept add column later text not null default 'none'`.execute(database.queries)
    await database.transaction(write(8))
    const { rows } = await sql`select * from kept where id >= 7 order by id`.execute(database.queries)
    expect(rows).to.deep.equal([
      { id: 7, said: 'it', later: 'none' },
      { id: 8, said: 'it', later: 'none' },
    ])
  })
})
