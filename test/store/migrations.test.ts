/** Migrations go forward only, and the version before can live with each of them: docs/adr/0011. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import { sql } from 'kysely'
import { describe, it } from 'mocha'
import { MIGRATIONS } from '../../broker/store/migrations/index.ts'
import { SchemaMismatch } from '../../broker/store/migrate.ts'
import { ENGINES, newDatabasePlace, openAt } from '../support/database.ts'
import { breachesIn, digestOf, statementsOf } from './migration-statements.ts'

const FOLDER = new URL('../../broker/store/migrations/', import.meta.url)
/** Name → digest of what it runs: those that have run somewhere. A release adds its new ones (CONTRIBUTING.md). */
const FROZEN = JSON.parse(readFileSync(new URL('frozen-migrations.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, string>
>
/** Made before there was a version that could have been before them. */
const BEFORE_ALL_OTHERS: ReadonlySet<string> = new Set(['0010-proof'])

/** A new folder of PGlite takes seconds of a processor that others may be using. */
const PATIENCE_MS = 120_000

describe('migrations', () => {
  it('are numbered files, all of them listed, in order', () => {
    const files = readdirSync(FOLDER).filter((name) => name !== 'index.ts')
    const names = files.map((name) => name.replace(/\.ts$/, '')).toSorted()
    expect(Object.keys(MIGRATIONS)).to.deep.equal(names)
    for (const name of names) expect(name).to.match(/^\d{4}-[a-z0-9-]+$/)
  })

  it('have no way back: a correction is another one', () => {
    for (const migration of Object.values(MIGRATIONS)) expect(migration).to.not.have.property('down')
  })

  for (const [name, digest] of Object.entries(FROZEN)) {
    it(`${name} runs what it ran when it was released`, async () => {
      const migration = MIGRATIONS[name]
      expect(migration, 'it is gone').to.not.equal(undefined)
      if (migration !== undefined) expect(digestOf(await statementsOf(migration))).to.equal(digest)
    })
  }

  for (const [name, migration] of Object.entries(MIGRATIONS)) {
    if (BEFORE_ALL_OTHERS.has(name)) continue
    it(`${name} is one that the version before can live with`, async () => {
      expect(breachesIn(await statementsOf(migration))).to.deep.equal([])
    })
  }

  for (const statement of [
    'drop table events',
    'alter table events drop column data',
    'alter table events rename column data to body',
    'alter table events alter column data set not null',
    'alter table events alter column data type text',
    'alter table events add column size integer not null',
    'alter table events add column size integer check (size > 0)',
    'alter table events add constraint one unique (id)',
    'create unique index events_one on events (subject)',
    'delete from events',
  ]) {
    it(`may not say "${statement}"`, () => {
      expect(breachesIn([statement])).to.have.length(1)
    })
  }

  it('may add tables with any rule, columns that may be left out, and indexes', () => {
    const statements = [
      'create table sizes (id text primary key, size integer not null check (size > 0))',
      'create unique index sizes_one on sizes (size)',
      "alter table events add column size integer, add column kind text not null default 'any'",
      'create index events_by_size on events (size)',
    ]
    expect(breachesIn(statements)).to.deep.equal([])
  })
})

for (const engine of ENGINES) {
  describe(`a store on ${engine} on which a later version has been`, function () {
    this.timeout(PATIENCE_MS)

    it('is opened as it is', async () => {
      const place = await newDatabasePlace(engine)
      const later = await openAt(place)
      await sql`alter table events add column later text`.execute(later.queries)
      await sql`insert into kysely_migration (name, timestamp) values ('9999-later', '2036-01-01')`.execute(
        later.queries,
      )
      await later.close()
      const before = await openAt(place)
      await sql`select later from events`.execute(before.queries)
      await before.close()
      await place.remove()
    })

    it('is refused where it lacks what this version needs', async () => {
      const place = await newDatabasePlace(engine)
      const other = await openAt(place)
      const last = Object.keys(MIGRATIONS).at(-1)
      await sql`update kysely_migration set name = '9999-later' where name = ${last}`.execute(other.queries)
      await other.close()
      const refusal = await openAt(place).catch((error: unknown) => error)
      expect(refusal).to.be.instanceOf(SchemaMismatch)
      expect(String(refusal)).to.include('9999-later').and.include(last)
      await place.remove()
    })
  })
}
