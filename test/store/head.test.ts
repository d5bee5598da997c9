import { expect } from 'chai'
import { after, beforeEach, describe, it } from 'mocha'
import type { CalendarOp } from '../../broker/core/calendar-op.ts'
import { appendLog, ensureHead, lockHead, pingDatabase, readHead, readLog, saveHead } from '../../broker/store/head.ts'
import { EMPTY_LOG_DIGEST } from '../../shared/proof.ts'
import { ENGINES, type TestDatabase, openTestDatabase } from '../support/database.ts'

const release = (allocationId: string): CalendarOp => ({ op: 'release', allocationId })
const entry = (version: number) => ({ version, at: 1_000 + version, op: release(`alc_${version}`) })

for (const engine of ENGINES) {
  describe(`the head of the calendar, on ${engine}`, () => {
    let database: TestDatabase | null = null
    const open = async (): Promise<TestDatabase> => {
      database ??= await openTestDatabase(engine)
      return database
    }

    beforeEach(async () => {
      const { queries } = await open()
      await queries.deleteFrom('calendarHead').execute()
      await queries.deleteFrom('calendarLog').execute()
      await ensureHead(queries, 1_000)
    })
    after(async () => database?.close())

    it('begins at nothing, with the digest of an empty log', async () => {
      const { queries } = await open()
      expect(await readHead(queries)).to.deep.include({
        version: 0,
        logDigest: EMPTY_LOG_DIGEST,
        lastAt: 1_000,
        eventSequence: 0,
        catalogue: [],
      })
    })

    it('is left as it is by another start', async () => {
      const { queries } = await open()
      await ensureHead(queries, 2_000)
      expect(await readHead(queries)).to.include({ lastAt: 1_000 })
    })

    it('makes whoever decides wait for whoever is deciding, so that no change is lost', async () => {
      const db = await open()
      const decideOnce = () =>
        db.transaction(async (trx) => {
          const head = await lockHead(trx)
          await pingDatabase(trx) // gives the others the time to read what is about to change
          await saveHead(trx, { ...head, version: head.version + 1, eventSequence: head.eventSequence + 2 })
        })
      await Promise.all(Array.from({ length: 25 }, decideOnce))
      expect(await readHead(db.queries)).to.include({ version: 25, eventSequence: 50 })
    })

    it('reads the log behind it in order, from after the version that is known', async () => {
      const db = await open()
      await db.transaction((trx) => appendLog(trx, [entry(3), entry(1), entry(2)]))
      expect(await readLog(db.queries, 1)).to.deep.equal([entry(2), entry(3)])
      expect(await readLog(db.queries, 3)).to.deep.equal([])
    })

    it('has one entry for a version: a second one is refused, with all that came with it', async () => {
      const db = await open()
      await db.transaction((trx) => appendLog(trx, [entry(1)]))
      const refused = await db
        .transaction((trx) => appendLog(trx, [entry(2), entry(1)]))
        .then(
          () => false,
          () => true,
        )
      expect(refused).to.equal(true)
      expect(await readLog(db.queries, 0)).to.deep.equal([entry(1)])
    })
  })
}
