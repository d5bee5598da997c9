/**
 * One process per PGlite folder: PGlite itself opens a folder twice without a word, and neither process sees the other's
 * rows. The lock is a file with a random token that its owner renews; a file that nobody renews is stale and taken over.
 */
import { createHash, randomUUID } from 'node:crypto'
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
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
  const stale = await waitUntilFree(path, folder)
  const token = randomUUID()
  if (!(await take(path, token, stale))) throw inUse(folder, await read(path))

  let renewedAt = Date.now()
  const renewal = setInterval(() => {
    // A renewal that fails is tried again; a lock that nobody could renew for so long is anybody's.
    void renew(path, token)
      .then(
        (held) => {
          if (held) renewedAt = Date.now()
          return held
        },
        () => Date.now() - renewedAt <= STALE_MS,
      )
      .then((held) => {
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
async function waitUntilFree(path: string, folder: string): Promise<string | null> {
  const first = await readText(path)
  const lock = parse(first)
  if (lock === null || isStale(lock) || !isAlive(lock.pid)) return first
  // The pid lives, but it may be a stranger that got the number of a dead broker: a live owner shows itself by renewing.
  while (!isStale(lock)) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
    const again = await readText(path)
    if (again === null) return null
    if (again !== first) throw inUse(folder, parse(again))
  }
  return first
}

/**
 * Of all who find the lock free, one gets it: a link to a name that is there already is refused by the file system. A dead
 * owner's file stays where it is until its one successor, who has the name that follows from it, puts his own in its place.
 */
async function take(path: string, token: string, stale: string | null): Promise<boolean> {
  const draft = `${path}.${token}`
  await writeFile(draft, lockText(token))
  try {
    return stale === null ? await done(link(draft, path)) : await succeed(path, draft, stale)
  } finally {
    await rm(draft, { force: true })
  }
}

async function succeed(path: string, draft: string, stale: string): Promise<boolean> {
  const succession = `${path}.${createHash('sha256').update(stale).digest('hex').slice(0, 16)}`
  const isMine = async (): Promise<boolean> => done(link(draft, succession))
  if (!(await isMine()) && !((await leftByTheDead(succession)) && (await isMine()))) return false
  try {
    if ((await readText(path)) !== stale) return false // somebody has succeeded already
    await rename(draft, path)
    return true
  } finally {
    await rm(succession, { force: true })
  }
}

/** Whoever died amid it is no obstacle: what he left is removed. */
async function leftByTheDead(succession: string): Promise<boolean> {
  const other = await read(succession)
  if (other !== null && !isStale(other) && isAlive(other.pid)) return false
  await rm(succession, { force: true })
  return true
}

/** Whether it was done; somebody else having been faster is the one reason why not that is no error. */
async function done(step: Promise<void>): Promise<boolean> {
  try {
    await step
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' || code === 'ENOENT') return false
    throw error
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

const read = async (path: string): Promise<LockFile | null> => parse(await readText(path))

const readText = (path: string): Promise<string | null> => readFile(path, 'utf8').catch(() => null)

function parse(text: string | null): LockFile | null {
  try {
    return text === null ? null : (JSON.parse(text) as LockFile)
  } catch {
    return null // cut off by a crash while it was written: nobody holds it
  }
}

const lockText = (token: string): string =>
  JSON.stringify({ token, pid: process.pid, renewedAt: Date.now() } satisfies LockFile)

async function write(path: string, token: string): Promise<void> {
  const draft = `${path}.${token}`
  await writeFile(draft, lockText(token))
  await rename(draft, path)
}

const inUse = (folder: string, lock: LockFile | null) =>
  new FolderInUse(`the data folder ${folder} is in use by another broker (process ${lock?.pid ?? 'unknown'})`)
