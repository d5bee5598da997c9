/**
 * One process per PGlite folder: PGlite itself opens a folder twice without a word, and neither process sees the other's
 * rows. The lock is a file with a random token that its owner renews; a file that nobody renews is stale and taken over.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const RENEW_MS = 2_000
const STALE_MS = 10_000
const LOOK_AGAIN_MS = 200

/** Somebody else renews the lock; says who, in one line. */
export class FolderInUse extends Error {
  override readonly name = 'FolderInUse'
}

export interface FolderLock {
  release(): Promise<void>
}

interface LockFile {
  readonly token: string
  readonly pid: number
  readonly renewedAt: number
}

/**
 * @param onLost called once if another process took the folder (this one was stopped for longer than 10 s): stop at once
 * @throws FolderInUse
 */
export async function lockFolder(folder: string, onLost: () => void): Promise<FolderLock> {
  await mkdir(folder, { recursive: true })
  const path = join(folder, 'broker.lock')
  await waitUntilFree(path, folder)
  const token = randomUUID()
  await write(path, token)
  const written = await read(path)
  if (written?.token !== token) throw inUse(folder, written)

  const renewal = setInterval(() => {
    void renew(path, token).then((held) => {
      if (held) return
      clearInterval(renewal)
      onLost()
    })
  }, RENEW_MS)
  return {
    async release() {
      clearInterval(renewal)
      if ((await read(path))?.token === token) await rm(path, { force: true })
    },
  }
}

/** A lock whose owner is gone is free at once; one of a live owner is refused; one that is not ours to judge must age. */
async function waitUntilFree(path: string, folder: string): Promise<void> {
  const first = await read(path)
  if (first === null || isStale(first) || !isAlive(first.pid)) return
  // The pid lives, but it may be a stranger that got the number of a dead broker: a live owner shows itself by renewing.
  while (!isStale(first)) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
    const again = await read(path)
    if (again === null) return
    if (again.renewedAt !== first.renewedAt || again.token !== first.token) throw inUse(folder, again)
  }
}

const isStale = (lock: LockFile): boolean => Date.now() - lock.renewedAt > STALE_MS

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function renew(path: string, token: string): Promise<boolean> {
  const lock = await read(path)
  if (lock !== null && lock.token !== token) return false
  await write(path, token)
  return true
}

async function read(path: string): Promise<LockFile | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as LockFile
  } catch {
    return null // absent, or cut off by a crash while it was written: nobody holds it
  }
}

async function write(path: string, token: string): Promise<void> {
  const draft = `${path}.${token}`
  await writeFile(draft, JSON.stringify({ token, pid: process.pid, renewedAt: Date.now() } satisfies LockFile))
  await rename(draft, path)
}

const inUse = (folder: string, lock: LockFile | null) =>
  new FolderInUse(`the data folder ${folder} is in use by another broker (process ${lock?.pid ?? 'unknown'})`)
