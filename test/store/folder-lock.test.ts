import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { FolderInUse, lockFolder } from '../../broker/store/folder-lock.ts'
import { readHead } from '../../broker/store/head.ts'
import { DAY_MS } from '../../shared/time.ts'
import { type DatabasePlace, newDatabasePlace, openAt } from '../support/database.ts'

const OPEN_FOLDER = fileURLToPath(new URL('../support/open-folder.ts', import.meta.url))
const nobodyMinds = (): void => {
  throw new Error('the lock was lost')
}

async function refusalOf(work: Promise<unknown>): Promise<FolderInUse> {
  try {
    await work
  } catch (error) {
    if (error instanceof FolderInUse) return error
    throw error
  }
  throw new Error('it was not refused')
}

describe('the lock of a data folder', () => {
  let folder: string
  const lockFile = () => join(folder, 'broker.lock')

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gpu-broker-lock-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  it('makes the folder when there is none', async () => {
    const inner = join(folder, 'a', 'b')
    const lock = await lockFolder(inner, nobodyMinds)
    expect(existsSync(join(inner, 'broker.lock'))).to.equal(true)
    await lock.release()
  })

  it('leaves nothing behind when it is released, and can be had again at once', async () => {
    for (let round = 0; round < 3; round += 1) {
      const lock = await lockFolder(folder, nobodyMinds)
      await lock.release()
      expect(await readdir(folder)).to.deep.equal([])
    }
  })

  it('is refused while its owner renews it, naming the folder and the process', async () => {
    const lock = await lockFolder(folder, nobodyMinds)
    try {
      const refusal = await refusalOf(lockFolder(folder, nobodyMinds))
      expect(refusal.message).to.equal(`the data folder ${folder} is in use by another broker (process ${process.pid})`)
    } finally {
      await lock.release()
    }
  })

  it('is taken over when nobody has renewed it for long, though a process of its number lives', async () => {
    await writeFile(lockFile(), JSON.stringify({ token: 'old', pid: process.pid, renewedAt: Date.now() - 11_000 }))
    const lock = await lockFolder(folder, nobodyMinds)
    expect(JSON.parse(await readFile(lockFile(), 'utf8')))
      .to.include({ pid: process.pid })
      .and.not.include({
        token: 'old',
      })
    await lock.release()
  })

  for (const [says, left] of [
    ['a free folder', null],
    ['the folder of a dead process', JSON.stringify({ token: 'old', pid: process.pid, renewedAt: 0 })],
  ] as const) {
    it(`goes to exactly one of those who ask for ${says} at once`, async () => {
      for (let round = 0; round < 20; round += 1) {
        if (left !== null) await writeFile(lockFile(), left)
        const asked = await Promise.allSettled([1, 2, 3, 4].map(() => lockFolder(folder, nobodyMinds)))
        const locks = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
        await Promise.all(locks.map((lock) => lock.release()))
        expect(locks).to.have.length(1)
        expect(await readdir(folder)).to.deep.equal([])
      }
    })
  }

  it('can be had although one who was about to take it over from a dead process has died amid that', async () => {
    const left = JSON.stringify({ token: 'old', pid: process.pid, renewedAt: 0 })
    const successor = createHash('sha256').update(left).digest('hex').slice(0, 16)
    await writeFile(lockFile(), left)
    await writeFile(`${lockFile()}.${successor}`, JSON.stringify({ token: 'next', pid: process.pid, renewedAt: 0 }))
    const lock = await lockFolder(folder, nobodyMinds)
    await lock.release()
    expect(await readdir(folder)).to.deep.equal([])
  })

  it('is taken over when a crash has cut its file off', async () => {
    await writeFile(lockFile(), '{"token":"ol')
    const lock = await lockFolder(folder, nobodyMinds)
    await lock.release()
    expect(await readdir(folder)).to.deep.equal([])
  })

  it('tells its owner once when another process has taken it, and leaves the other’s file alone', async () => {
    const lost = Promise.withResolvers<void>()
    let times = 0
    const lock = await lockFolder(folder, () => {
      times += 1
      lost.resolve()
    })
    const other = JSON.stringify({ token: 'other', pid: process.pid, renewedAt: Date.now() })
    await writeFile(lockFile(), other)
    await lost.promise
    await lock.release()
    expect(times).to.equal(1)
    expect(await readFile(lockFile(), 'utf8')).to.equal(other)
  })
})

describe('two processes on one data folder', () => {
  let place: DatabasePlace
  const children: ChildProcessWithoutNullStreams[] = []

  /** The child, and what it says when it has the folder, or else why it does not. */
  async function openInChild(): Promise<{ child: ChildProcessWithoutNullStreams; said: string }> {
    const child = spawn(process.execPath, [OPEN_FOLDER, place.folder])
    children.push(child)
    const errors: string[] = []
    child.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text))
    const opened = once(child.stdout.setEncoding('utf8'), 'data').then(([text]) => String(text))
    const ended = once(child, 'close').then(() => errors.join(''))
    return { child, said: await Promise.race([opened, ended]) }
  }

  beforeEach(async () => {
    place = await newDatabasePlace('pglite')
  })
  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill('SIGKILL')
      await once(child, 'close')
    }
    await place.remove()
  })

  it('the second one is refused with one line that names the first, which goes on undisturbed', async () => {
    const database = await openAt(place)
    try {
      const { child, said } = await openInChild()
      expect(said).to.equal(`the data folder ${place.folder} is in use by another broker (process ${process.pid})\n`)
      expect(child.exitCode).to.equal(1)
      await database.queries.selectFrom('calendarHead').selectAll().execute()
    } finally {
      await database.close()
    }
  })

  it('the second one is refused by a first one elsewhere, too', async () => {
    const { child, said } = await openInChild()
    expect(said).to.equal('open\n')
    expect((await refusalOf(openAt(place))).message).to.contain(`(process ${child.pid})`)
  })

  it('the folder of a process that was killed is free at once, with every row that was acknowledged', async () => {
    const { child, said } = await openInChild()
    expect(said).to.equal('open\n')
    child.kill('SIGKILL')
    await once(child, 'close')
    // Never to be stale: it is free because its process is gone, not because time has passed.
    const path = join(place.folder, 'broker.lock')
    const left = JSON.parse(await readFile(path, 'utf8')) as object
    await writeFile(path, JSON.stringify({ ...left, renewedAt: Date.now() + DAY_MS }))
    const database = await openAt(place)
    try {
      expect(await readHead(database.queries)).to.include({ lastAt: 4_711 })
    } finally {
      await database.close()
    }
  })

  it('the folder of a process that ended in order is free at once', async () => {
    const { child } = await openInChild()
    child.stdin.end()
    await once(child, 'close')
    const database = await openAt(place)
    expect(await readHead(database.queries)).to.include({ lastAt: 4_711 })
    await database.close()
  })
})
