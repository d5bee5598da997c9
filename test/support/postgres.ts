/** One PostgreSQL per mocha process: started by the first test that needs it, stopped when the last test has run. */
import { type PostgresServer, type TestDatabaseUrl, startPostgres } from './postgres-server.ts'
import { atEnd } from './process.ts'

let started: Promise<PostgresServer> | null = null

/** A new, empty database on the process's own server. Whoever asks for it drops it. */
export async function createDatabase(): Promise<TestDatabaseUrl> {
  started ??= startPostgres()
  return (await started).createDatabase()
}

atEnd(async () => {
  const server = await started?.catch(() => null) // that it did not start has been told to whoever asked
  await server?.stop()
})
