import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect } from 'chai'
import { describe, it } from 'mocha'

const SERVER = new URL('../support/postgres-server.ts', import.meta.url).href

describe('a program with a PostgreSQL of its own', () => {
  it('ends with the status that it has come to', async () => {
    const program = `await import(${JSON.stringify(SERVER)}); process.exitCode = 3`
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'inherit' })
    const [status] = (await once(child, 'close')) as [number | null]
    expect(status).to.equal(3)
  })
})
