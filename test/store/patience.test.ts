import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { sql } from 'kysely'
import { after, before, describe, it } from 'mocha'
import { isDatabaseAway } from '../../broker/store/away.ts'
import { dumpTo } from '../../broker/store/backup/dump.ts'
import { checkBackup } from '../../broker/store/backup/read.ts'
import { restoreFrom } from '../../broker/store/backup/restore.ts'
import { connectDatabase, type Database, openDatabase, type Patience } from '../../broker/store/database.ts'
import { ensureHead, installationId, lockHead, readHead } from '../../broker/store/head.ts'
import { closeAll } from '../support/close-all.ts'
import { type DatabasePlace, newDatabasePlace } from '../support/database.ts'

const NOW = Date.parse('2026-11-24T09:00:00Z')

describe('how long PostgreSQL is waited for', () => {
  let place: DatabasePlace
  const open: Database[] = []
  const broken: string[] = []
  const connected = async (
    patience: Partial<Patience>,
    { url }: Pick<DatabasePlace, 'url'> = place,
    how = connectDatabase,
  ): Promise<Database> => {
    const database = await how({
      ...{ url, folder: place.folder, patience },
      onLost(error) {
        throw error
      },
      onBroken: ({ message }) => void broken.push(message),
    })
    open.push(database)
    return database
  }
  before(async () => {
    place = await newDatabasePlace('postgres')
    const { queries } = await connected({}, place, openDatabase)
    await ensureHead(queries, NOW)
    await installationId(queries, 'ins_waited', NOW)
  })
  after(() => closeAll(...open.map((database) => () => database.close()), place.remove))

  const failureOf = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => null,
      (error: unknown) => error,
    )

  it('a way to it that went silent is given up, as a database that is away, and another is taken', async () => {
    const way = await aWayTo(place.url ?? '')
    const database = await connected({ silenceMs: 2_000 }, way)
    const failure = await failureOf(
      database.transaction(async (trx) => {
        await lockHead(trx)
        way.silence()
        await readHead(trx)
      }),
    )
    expect(isDatabaseAway(failure), String(failure)).to.equal(true)
    expect(broken).to.deep.equal(['the database has not answered for 2000 ms'])
    expect(await readHead(database.queries)).to.include({ lastAt: NOW })
    await database.close()
    await way.close()
  })

  it('takes no answer that others wait for as well for silence', async () => {
    const database = await connected({ silenceMs: 1_500 })
    await database.transaction(async (trx) => {
      const slow = Array.from({ length: 5 }, () => sql`select pg_sleep(0.5)`.execute(trx))
      await Promise.all(slow)
    })
    expect(broken).to.have.length(1)
  })

  it('whoever stopped with the lock in hand loses it to those who wait for it', async () => {
    const [stopped, other] = [await connected({ idleMs: 100 }), await connected({})]
    const [locked, goesOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const failure = failureOf(
      stopped.transaction(async (trx) => {
        await lockHead(trx)
        locked.resolve()
        await goesOn.promise
        await readHead(trx)
      }),
    )
    await locked.promise
    expect(await other.transaction(lockHead)).to.include({ lastAt: NOW })
    goesOn.resolve()
    expect(isDatabaseAway(await failure), String(await failure)).to.equal(true)
  })

  it('a backup may wait for its disk, and so may a restore', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gpu-broker-patience-'))
    const file = join(folder, 'slow.gz')
    const emptied = await newDatabasePlace('postgres')
    const blocked = new Int32Array(new SharedArrayBuffer(4))
    const slow = () => {
      let waitMs = 2_400
      const onProgress = (): void => {
        Atomics.wait(blocked, 0, 0, waitMs)
        waitMs = 0
      }
      return { onProgress, file, signal: new AbortController().signal }
    }
    try {
      await dumpTo(await connected({ idleMs: 2_000 }), { ...slow(), now: NOW })
      await (await connected({}, emptied, openDatabase)).close()
      const into = await connected({ idleMs: 2_000 }, emptied)
      await restoreFrom(into, { ...slow(), summary: await checkBackup(file) })
      expect(await readHead(into.queries)).to.include({ lastAt: NOW })
      await into.close()
    } finally {
      await emptied.remove()
      await rm(folder, { recursive: true, force: true })
    }
  })
})

/** A server on loopback that leads to the database, until what is open there leads nowhere: nothing comes, and nothing breaks. */
async function aWayTo(url: string): Promise<{ url: string; silence(): void; close(): Promise<void> }> {
  const to = new URL(url)
  const sockets: Socket[] = []
  const server: Server = createServer((near) => {
    const far = connect(Number(to.port), to.hostname)
    sockets.push(near, far)
    for (const socket of [near, far]) socket.on('error', () => undefined)
    near.pipe(far).pipe(near)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const here = new URL(url)
  here.port = String((server.address() as AddressInfo).port) // listening on TCP
  return {
    url: here.href,
    silence() {
      for (const socket of sockets) socket.unpipe().pause()
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
