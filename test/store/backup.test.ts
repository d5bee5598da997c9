import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { sql } from 'kysely'
import { after, afterEach, before, describe, it } from 'mocha'
import type { BackupSummary } from '../../shared/backup.ts'
import { dumpTo } from '../../broker/store/backup/dump.ts'
import { checkBackup } from '../../broker/store/backup/read.ts'
import { restoreFrom } from '../../broker/store/backup/restore.ts'
import { BACKUP_TABLES } from '../../broker/store/backup/tables.ts'
import { connectDatabase, type Database } from '../../broker/store/database.ts'
import { ensureHead, installationId } from '../../broker/store/head.ts'
import { closeAll } from '../support/close-all.ts'
import { type DatabasePlace, ENGINES, type Engine, newDatabasePlace, openAt } from '../support/database.ts'

const NOW = Date.parse('2026-11-24T09:00:00Z')
/** A new folder of PGlite takes seconds of a processor that others may be using. */
const PATIENCE_MS = 120_000
/** More than is read or written at a time. */
const EVENTS = 1_203
const AWKWARD = 'a "quoted" \\ line\nand a tab\t, 한국어, {"b": 1, "a": null}'
const signal = new AbortController().signal
const quiet = { onProgress: () => undefined, signal }

/** As a restore finds it: no migration run, but on PGlite, where tests copy a folder in which they have. */
const connectTo = ({ url, folder }: DatabasePlace): Promise<Database> =>
  connectDatabase({
    url,
    folder,
    onBroken: () => undefined, // whoever used the connection fails
    onLost(error) {
      throw error
    },
  })

async function fillWithRows(database: Database): Promise<void> {
  const db = database.queries
  await ensureHead(db, NOW)
  await installationId(db, 'ins_tested', NOW)
  await sql`insert into approvals values ('apr-1', 1, 'kaist', null, null, 'program', 'standard',
    '{"maxNodes":  4, "b": 1, "a": 2}', ${AWKWARD}, 'valid', 9007199254740991, 1, ${NOW}, ${NOW})`.execute(db)
  await sql`insert into events (sequence, id, type, subject, at, data, allocation_id)
    select n, 'evt_' || n, 'allocation.active', 'subject', ${NOW}, jsonb_build_object('text', ${AWKWARD}::text), null
    from generate_series(1, ${sql.lit(EVENTS)}) as n`.execute(db)
}

const linesOf = async (file: string): Promise<readonly string[]> =>
  gunzipSync(await readFile(file))
    .toString()
    .trimEnd()
    .split('\n')

const refusalOf = async (work: Promise<unknown>): Promise<string> => {
  const refused = await work.then(
    () => null,
    (error: unknown) => error,
  )
  expect(refused).to.be.instanceOf(Error).and.have.property('name', 'BackupError')
  return String(refused)
}

for (const [index, engine] of ENGINES.entries()) {
  const other = ENGINES[(index + 1) % ENGINES.length] ?? engine
  describe(`a backup of ${engine}`, function () {
    this.timeout(PATIENCE_MS)
    let folder: string
    let place: DatabasePlace
    let database: Database
    let file: string
    let made: BackupSummary
    const places: DatabasePlace[] = []

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'gpu-broker-backup-'))
      file = join(folder, 'one.gz')
      place = await newDatabasePlace(engine)
      database = await openAt(place)
      await fillWithRows(database)
      made = await dumpTo(database, { ...quiet, file, now: NOW })
    })
    after(() =>
      closeAll(
        () => database.close(),
        () => place.remove(),
        () => rm(folder, { recursive: true, force: true }),
      ),
    )
    afterEach(async () => {
      for (const one of places.splice(0)) await one.remove()
    })

    async function restored<T>(to: Engine, source: string, look: (restoredTo: Database) => Promise<T>): Promise<T> {
      const target = await newDatabasePlace(to)
      places.push(target)
      const into = await connectTo(target)
      try {
        await restoreFrom(into, { ...quiet, file: source, summary: await checkBackup(source) })
        return await look(into)
      } finally {
        await into.close()
      }
    }

    it('holds every table that the migrations have made', async () => {
      const { rows } = await sql<{ name: string }>`select tablename::text as name from pg_tables
        where schemaname = current_schema() and tablename not like 'kysely_%' order by 1`.execute(database.queries)
      expect(rows.map(({ name }) => name)).to.deep.equal(BACKUP_TABLES.toSorted())
    })

    it('says whose it is, what is in it, and that it was read back', async () => {
      expect(made).to.deep.include({ engine, installationId: 'ins_tested', createdAt: '2026-11-24T09:00:00Z' })
      expect(made.rows).to.deep.include({ installation: 1, approvals: 1, events: EVENTS, nodes: 0 })
      expect(await checkBackup(file)).to.deep.equal(made)
      expect((await stat(file)).mode & 0o777).to.equal(0o600)
    })

    for (const to of [engine, other]) {
      it(`restores on ${to} as what it was, value for value`, async () => {
        const again = join(folder, `again-${to}.gz`)
        await restored(to, file, async (into) => {
          await into.queries.updateTable('installation').set({ deletesHeld: false }).execute()
          await dumpTo(into, { ...quiet, file: again, now: NOW })
        })
        const [before, now] = [await linesOf(file), await linesOf(again)]
        // The header tells the engine, and the end the checksum of it.
        expect(now.slice(1, -1).toSorted()).to.deep.equal(before.slice(1, -1).toSorted())
      })
    }

    it('holds deletions once it is restored', async () => {
      const row = await restored(engine, file, ({ queries }) =>
        queries.selectFrom('installation').selectAll().executeTakeFirstOrThrow(),
      )
      expect(row).to.deep.include({ id: 'ins_tested', deletesHeld: true })
    })

    it('is not put into a store that has rows', async () => {
      expect(await refusalOf(restoreFrom(database, { ...quiet, file, summary: await checkBackup(file) }))).to.include(
        'not empty',
      )
    })

    it('never takes the place of a file', async () => {
      expect(await refusalOf(dumpTo(database, { ...quiet, file, now: NOW }))).to.include('is there already')
    })

    it('says so when its file cannot be written', async () => {
      const nowhere = join(folder, 'none', 'one.gz')
      expect(await refusalOf(dumpTo(database, { ...quiet, file: nowhere, now: NOW }))).to.include('ENOENT')
    })

    it('leaves no file behind when it is interrupted', async () => {
      const interrupted = join(folder, 'interrupted.gz')
      const stopping = new AbortController()
      const options = { file: interrupted, now: NOW, signal: stopping.signal, onProgress: () => stopping.abort() }
      const ended = await dumpTo(database, options).catch((error: unknown) => error)
      expect(ended).to.be.instanceOf(Error)
      for (const name of [interrupted, `${interrupted}.unfinished`]) {
        expect(await stat(name).catch(() => null)).to.equal(null)
      }
    })
  })
}

describe('a backup that is not what it was', function () {
  this.timeout(PATIENCE_MS)
  let folder: string
  let whole: Buffer
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gpu-broker-backup-'))
    const place = await newDatabasePlace('pglite')
    const database = await openAt(place)
    await fillWithRows(database)
    const file = join(folder, 'whole.gz')
    await dumpTo(database, { ...quiet, file, now: NOW })
    await database.close()
    await place.remove()
    whole = gunzipSync(await readFile(file))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  async function sentenceOf(bytes: Buffer): Promise<string> {
    const file = join(folder, 'changed.gz')
    await writeFile(file, bytes)
    return refusalOf(checkBackup(file))
  }
  const text = (change: (lines: string[]) => readonly string[]): Buffer =>
    gzipSync(`${change(whole.toString().trimEnd().split('\n')).join('\n')}\n`)

  it('is told by a value that was changed', async () => {
    const changed = text((lines) => lines.map((line) => line.replace('"evt_77"', '"evt_78"')))
    expect(await sentenceOf(changed)).to.include('damaged')
  })

  it('is told by a row that is missing', async () => {
    expect(await sentenceOf(text((lines) => lines.filter((line) => !line.includes('"evt_77"'))))).to.include('damaged')
  })

  it('is told by its end that is missing', async () => {
    expect(await sentenceOf(text((lines) => lines.slice(0, -1)))).to.include('not whole')
  })

  it('is told when it was cut off, is something else, or is not there', async () => {
    expect(await sentenceOf(gzipSync(whole).subarray(0, 500))).to.include('cannot be read')
    expect(await sentenceOf(Buffer.from('select 1'))).to.include('cannot be read')
    expect(await sentenceOf(gzipSync('hello\n'))).to.include('not whole')
    expect(await refusalOf(checkBackup(join(folder, 'none.gz')))).to.include('ENOENT')
  })

  it('is refused when a later version made it', async () => {
    const lines = whole.toString().trimEnd().split('\n').slice(0, -1)
    const body = lines.map(
      (line, n) => `${n === 0 ? line.replace('"0001-first"', '"0001-first","9999-later"') : line}\n`,
    )
    const sha256 = createHash('sha256').update(body.join('')).digest('hex')
    const { rows } = JSON.parse(whole.toString().trimEnd().split('\n').at(-1) ?? '') as { rows: object }
    const file = join(folder, 'later.gz')
    await writeFile(file, gzipSync(`${body.join('')}${JSON.stringify({ end: 'gpu-broker-backup', rows, sha256 })}\n`))
    const place = await newDatabasePlace('pglite')
    const database = await connectTo(place)
    expect(await refusalOf(restoreFrom(database, { ...quiet, file, summary: await checkBackup(file) }))).to.include(
      '9999-later',
    )
    await database.close()
    await place.remove()
  })
})
