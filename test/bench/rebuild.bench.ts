/**
 * The calendar, built anew from its rows as every start does: ten thousand that live, a million that are past. The floor is
 * reading the rows that live, which nobody can build from without.
 */
import { sql, type RawBuilder } from 'kysely'
import { createCalendarCache } from '../../broker/app/calendar-cache.ts'
import { reservationsOn } from '../../broker/core/calendar-reads.ts'
import { table } from '../../broker/cli/screen/table.ts'
import type { Queries, Transaction } from '../../broker/store/database.ts'
import { liveReservations } from '../../broker/store/reservations.ts'
import { HOUR_MS } from '../../shared/time.ts'
import { approve, days } from '../api/requests.ts'
import { brokerFiles, startBrokerProcess } from '../durability/broker-process.ts'
import { createApiClient, tokenFor } from '../support/api-client.ts'
import { openAt } from '../support/database.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { startTestSandbox } from '../support/sandbox.ts'

const LIVE = 10_000
const PAST = Number(process.env['BENCH_PAST'] ?? '1000000')
const RUNS = 7
const BAR_MS = 2_000
const HOURS_AHEAD = 17_000

const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** One that the broker has placed: what all rows are copies of. */
async function placeOne(env: Readonly<Record<string, string>>, token: string): Promise<void> {
  const broker = await startBrokerProcess(env)
  const client = createApiClient({ url: () => broker.url, authorization: `Bearer ${token}` })
  const period = { start: days(30), end: days(31) }
  const body = { approvalId: await approve(client), name: 'one', demand: { nodes: 1 }, period }
  const got = await client.post('/v1/allocations', body)
  if (got.status !== 201) throw new Error(got.text)
  await broker.terminate()
}

const ID = sql`'alc_' || lpad(translate(nth::text, '0189', 'abcd'), 16, 'z')`

/** All columns of a table but those that every copy has of its own. */
async function columnsBut(db: Queries, of: string, own: readonly string[]): Promise<RawBuilder<unknown>> {
  const { rows } = await sql<{ name: string }>`select column_name as name from information_schema.columns
    where table_schema = 'public' and table_name = ${of} and column_name <> all(${own})`.execute(db)
  return sql.join(rows.map(({ name }) => sql.ref(name)))
}

async function copyOut(trx: Transaction): Promise<void> {
  // A million rows take longer than any statement of the broker may.
  await sql`set local statement_timeout = 0`.execute(trx)
  const rest = await columnsBut(trx, 'allocations', ['id', 'sequence', 'status', 'next_look_at'])
  await sql`insert into allocations (id, sequence, status, next_look_at, ${rest})
    select ${ID}, 1000000 + nth, case when nth > ${PAST}::int then 'scheduled' else 'released' end, null, ${rest}
    from (select * from allocations order by sequence limit 1) as one, generate_series(1, ${PAST + LIVE}::int) as nth`.execute(
    trx,
  )
  const times = ['start_at', 'end_at', 'held_until']
  const same = await columnsBut(trx, 'reservations', ['allocation_id', 'phase', ...times])
  const later = sql`(nth * 7 % ${HOURS_AHEAD}::int)::bigint * ${HOUR_MS}::bigint`
  await sql`insert into reservations (allocation_id, phase, start_at, end_at, held_until, ${same})
    select ${ID}, case when nth > ${PAST}::int then 'scheduled' else 'ended' end,
      start_at + ${later}, end_at + ${later}, held_until + ${later}, ${same}
    from (select * from reservations limit 1) as one, generate_series(1, ${PAST + LIVE}::int) as nth`.execute(trx)
}

async function middleMs(run: () => Promise<unknown>): Promise<number> {
  const spent: number[] = []
  for (let nth = 0; nth < RUNS; nth += 1) {
    const startedAt = performance.now()
    await run()
    spent.push(performance.now() - startedAt)
  }
  return spent.toSorted((a, b) => a - b)[RUNS >> 1] ?? Number.NaN
}

const sandbox = await startTestSandbox()
const files = await brokerFiles(sandbox.settings)
const postgres = await startPostgres({ durable: true })
try {
  const { url } = await postgres.createDatabase()
  const token = await tokenFor(sandbox.identityUrl, 'platform')
  await placeOne({ ...files.env, DATABASE_URL: url }, token)
  const database = await openAt({ url, folder: '' })
  say(`${LIVE} that live and ${PAST} that are past …`)
  await database.transaction(copyOut)
  await sql`analyze`.execute(database.queries)
  const build = () => createCalendarCache(database, Date.now).read()
  const calendar = await build()
  const live = calendar.listed.reduce((sum, { cluster }) => sum + reservationsOn(calendar, cluster.id).length, 0)
  if (live !== LIVE + 1) throw new Error(`${live} live reservations were built`)
  const floor = await middleMs(() => liveReservations(database.queries))
  const ms = await middleMs(build)
  await database.close()
  process.stdout.write(
    table<readonly [string, number, string]>(
      [
        { head: '', value: ([what]) => what },
        { head: 'middle ms', align: 'right', value: ([, value]) => value.toFixed(0) },
        { head: 'bar', value: ([, , bar]) => bar },
      ],
      [
        [`${LIVE} live reservations read`, floor, 'floor'],
        ['the calendar built', ms, `≤ ${BAR_MS}`],
      ],
    ),
  )
  if (ms > BAR_MS) process.exitCode = 1
} finally {
  await postgres.stop()
  await sandbox.close()
  await files.remove()
}
