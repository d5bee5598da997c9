import { expect } from 'chai'
import { sql } from 'kysely'
import { after, before, beforeEach, describe, it } from 'mocha'
import type { ApprovalRow } from '../../broker/store/changes.ts'
import { insertRows, upsertRows } from '../../broker/store/rows.ts'
import { ENGINES, type TestDatabase, openTestDatabase } from '../support/database.ts'

const LIMITS = {
  maxNodes: 255,
  gpuHours: 2_000_000,
  architectures: ['blackwell' as const],
  validFrom: '2026-12-01T00:00:00Z',
  validTo: '2027-12-01T00:00:00Z',
}

const anApproval = (changes: Partial<ApprovalRow> = {}): ApprovalRow => ({
  id: 'apr-1',
  sequence: 1,
  organizationId: 'kaist',
  organizationName: null,
  organizationType: null,
  program: 'ai-foundation-model',
  priority: 'national',
  limits: LIMITS,
  note: null,
  status: 'valid',
  endedGpuMs: 0,
  version: 1,
  createdAt: 1_790_000_000_000,
  updatedAt: 1_790_000_000_000,
  ...changes,
})

for (const engine of ENGINES) {
  describe(`many rows in one statement, on ${engine}`, () => {
    let database: TestDatabase
    const write = (rows: readonly ApprovalRow[], keep: readonly string[] = []) =>
      database.transaction((trx) => upsertRows(trx, 'approvals', rows, { key: ['id'], keep }))
    const insert = (rows: readonly ApprovalRow[]) => database.transaction((trx) => insertRows(trx, 'approvals', rows))
    const all = () => database.queries.selectFrom('approvals').selectAll().orderBy('sequence').execute()

    before(async () => {
      database = await openTestDatabase(engine)
    })
    after(() => database.close())
    beforeEach(() => database.queries.deleteFrom('approvals').execute())

    it('gives back exactly the row that was inserted', async () => {
      await insert([anApproval()])
      expect(await all()).to.deep.equal([anApproval()])
    })

    it('does nothing for no rows', async () => {
      await insert([])
      await write([])
      expect(await all()).to.deep.equal([])
    })

    it('inserts a thousand rows as one', async () => {
      const rows = Array.from({ length: 1_000 }, (_, index) => anApproval({ id: `apr-${index}`, sequence: index }))
      await insert(rows)
      expect(await all()).to.deep.equal(rows)
    })

    it('keeps the names inside a JSON column as they are', async () => {
      await insert([anApproval()])
      const { rows } = await sql`select limits->>'maxNodes' as found from approvals`.execute(database.queries)
      expect(rows).to.deep.equal([{ found: '255' }])
    })

    it('keeps quotes, backslashes, Korean and line ends of a text', async () => {
      const note = `it's "quoted" \\ 한국과학기술원\n{}; drop table approvals; --`
      await insert([anApproval({ note })])
      expect((await all())[0]?.note).to.equal(note)
    })

    it('keeps the exactness of large numbers', async () => {
      await insert([anApproval({ endedGpuMs: Number.MAX_SAFE_INTEGER })])
      expect((await all())[0]?.endedGpuMs).to.equal(Number.MAX_SAFE_INTEGER)
    })

    it('refuses the whole statement when one of its rows is there already', async () => {
      await insert([anApproval()])
      const failed = await insert([anApproval({ id: 'apr-2', sequence: 2 }), anApproval()]).then(
        () => false,
        () => true,
      )
      expect(failed).to.equal(true)
      expect(await all()).to.deep.equal([anApproval()])
    })

    it('updates what is there and inserts what is not, in one statement', async () => {
      await insert([anApproval()])
      const rows = [
        anApproval({ status: 'revoked', version: 2, limits: { ...LIMITS, maxNodes: 8 } }),
        anApproval({ id: 'apr-2', sequence: 2 }),
      ]
      await write(rows)
      expect(await all()).to.deep.equal(rows)
    })

    it('writes a null over a value', async () => {
      await insert([anApproval({ note: 'first' })])
      await write([anApproval({ note: null })])
      expect((await all())[0]?.note).to.equal(null)
    })

    it('leaves a kept column of an existing row as it is, and the others not', async () => {
      await insert([anApproval({ note: 'somebody else’s', program: 'before' })])
      await write([anApproval({ note: 'mine', program: 'after' })], ['note'])
      expect((await all())[0]).to.include({ note: 'somebody else’s', program: 'after' })
    })

    it('writes a kept column of a new row', async () => {
      await write([anApproval({ note: 'mine' })], ['note'])
      expect((await all())[0]?.note).to.equal('mine')
    })
  })
}
