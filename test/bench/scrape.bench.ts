/**
 * One scrape of `/metrics` with everything in it, on both engines: reading the store and the calendar, and writing the
 * text. Its floor is one statement over the same rows, in the same run.
 */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { createCalendarCache } from '../../broker/app/calendar-cache.ts'
import { createMetrics, type Metrics } from '../../broker/metrics.ts'
import { prepareScrapes } from '../../broker/observe/scrape.ts'
import { fleetOf } from '../../broker/simulate/fleet.ts'
import { type Database } from '../../broker/store/database.ts'
import { lockHead } from '../../broker/store/head.ts'
import { Inventory } from '../../shared/inventory.ts'
import { openAt } from '../support/database.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { fillStore } from './full-store.ts'
import { type Line, printTable, type Timing, timingOf } from './measure.ts'
import { NOW } from './full-calendar.ts'

const LIVE = 10_000
const TIMES = 100
const BAR_MS = 20

const inventory = Inventory.parse(
  JSON.parse(readFileSync(new URL('../../deploy/inventory.json', import.meta.url), 'utf8')),
)
const catalogue = fleetOf(inventory).clusters
const lines: Line[] = []
let missed = false

async function timedAsync(call: () => Promise<unknown>): Promise<Timing> {
  for (let warm = 0; warm < 10; warm += 1) await call()
  const spent = new Float64Array(TIMES)
  for (let index = 0; index < TIMES; index += 1) {
    const startedAt = performance.now()
    await call()
    spent[index] = performance.now() - startedAt
  }
  return timingOf(spent)
}

/** As many series as a replica has after a while. */
function fillHistograms(metrics: Metrics): void {
  for (let nth = 0; nth < 120; nth += 1) {
    const status = [200, 201, 404, 503][nth % 4] ?? 200
    metrics.requestSeconds.observe({ route: `/v1/things/${nth >> 2}`, method: 'GET', status }, 0.01, 'a'.repeat(32))
    const labels = { provider: `provider-${nth % 3}`, operation: `operation-${nth % 10}`, outcome: `kind-${nth % 4}` }
    metrics.providerCallSeconds.observe(labels, 0.1, 'a'.repeat(32))
  }
}

async function measure(name: string, database: Database): Promise<void> {
  const { nodes, allocations } = await fillStore(database, { catalogue, live: LIVE, now: NOW })
  await sql`analyze`.execute(database.queries)
  const metrics = createMetrics()
  fillHistograms(metrics)
  const cache = createCalendarCache(database, () => NOW)
  await database.transaction(async (trx) => cache.lead(trx, await lockHead(trx))) // as a broker does at its start
  const providers = [...new Set(catalogue.map(({ providerId }) => providerId))]
  const scrapes = prepareScrapes({
    app: { database, cache, now: () => NOW },
    directory: { entries: providers.map(entryOf) },
    metrics,
    eventStreams: () => 0,
    onError(error) {
      throw error
    },
  })
  const live = `(status in ('waitlisted', 'scheduled', 'provisioning', 'active', 'preempting', 'releasing'))`
  const floor = await timedAsync(() =>
    sql`select status, count(*), sum(nodes) from allocations where ${sql.raw(live)} group by status`.execute(
      database.queries,
    ),
  )
  const scrape = await timedAsync(async () => {
    await scrapes.refresh()
    return metrics.read('application/openmetrics-text')
  })
  const { text } = await metrics.read('application/openmetrics-text')
  if (!text.includes('gpu_broker_database_up 1')) throw new Error('the store was not read')
  const size = `${text.split('\n').length} lines`
  lines.push({ what: `${name}: one sum over the live rows`, timing: floor, floor: null, bar: '' })
  const what = `${name}: scrape, ${nodes} nodes, ${allocations} allocations, ${size}`
  lines.push({ what, timing: scrape, floor, bar: `≤ ${BAR_MS} ms` })
  missed ||= scrape.p50Us > BAR_MS * 1_000
  scrapes.stop()
}

const entryOf = (id: string) => ({
  id,
  traffic: () => ({ ratePerSecond: 10, inFlight: 1, maxConcurrent: 8, waiting: 0, clockSkewMs: null }),
  health: () => ({ failing: false, watchedSince: NOW, since: '', lastSuccessAt: null, lastError: null }),
})

const folder = await mkdtemp(join(tmpdir(), 'gpu-broker-bench-'))
const postgres = await startPostgres()
try {
  const onPostgres = await openAt({ url: (await postgres.createDatabase()).url, folder: '' })
  await measure('PostgreSQL', onPostgres)
  await onPostgres.close()
  const onPglite = await openAt({ url: null, folder })
  await measure('PGlite', onPglite)
  await onPglite.close()
  printTable(lines)
  if (missed) process.exitCode = 1
} finally {
  await postgres.stop()
  await rm(folder, { recursive: true, force: true })
}
