import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { type RunningIdentity, startIdentity } from '../../deploy/sandbox/identity.ts'
import { cli } from './cli-world.ts'

const MAIN = fileURLToPath(new URL('../../broker/cli/main.ts', import.meta.url))

describe('gpu-broker token', () => {
  let identity: RunningIdentity
  before(async () => {
    identity = await startIdentity({ dir: null, port: 0 })
  })
  after(() => identity.close())

  const claimsOf = (token: string): Record<string, unknown> =>
    JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>

  it('prints a token of the client and nothing else, finding the sandbox by its port', async () => {
    const ran = await cli(['token', 'kaist'], { env: { SANDBOX_PORT: String(identity.port - 3) } })
    expect(ran).to.deep.include({ status: 0, err: '' })
    expect(ran.out).to.match(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
    expect(claimsOf(ran.out)).to.include({ client_id: 'kaist', organization_id: 'kaist', aud: 'gpu-broker' })
  })

  it('asks for the scopes that it is told, and for the platform’s own token by default', async () => {
    const ran = await cli(['token', '--issuer', identity.url, '--scope', 'catalog:read', '--json'])
    const { accessToken } = JSON.parse(ran.out) as { accessToken: string }
    expect(claimsOf(accessToken)).to.include({ client_id: 'platform', scope: 'catalog:read' })
  })

  it('says where it asks when it is verbose, never the secret', async () => {
    const ran = await cli(['token', 'sre', '--issuer', identity.url, '--verbose'])
    expect(ran.err).to.equal(`tokens: client sre at ${identity.url}\n`)
  })

  it('ends with 3 when the secret is wrong', async () => {
    const ran = await cli(['token', 'sre', '--issuer', identity.url], { env: { GPU_BROKER_CLIENT_SECRET: 'guess' } })
    expect(ran).to.deep.include({ status: 3, out: '' })
    expect(ran.err).to.include('it does not accept the client id and secret').and.not.to.include('guess')
  })
})

describe('what cannot be written', () => {
  const FULL = '/dev/full'

  it('ends a command with 1 and one line, not as a bug', function () {
    if (!existsSync(FULL)) this.skip()
    const full = openSync(FULL, 'w')
    const ran = spawnSync(process.execPath, [MAIN, 'completion', 'bash'], {
      stdio: ['ignore', full, 'pipe'],
      env: { ...process.env, LC_ALL: 'C' },
    })
    closeSync(full)
    expect([ran.status, String(ran.stderr)]).to.deep.equal([
      1,
      'gpu-broker: standard output cannot be written (ENOSPC)\n',
    ])
  })
})

describe('gpu-broker --version', () => {
  it('says which release this is, as the package does, and asks nobody', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as Package
    const expected = { status: 0, out: `${version}\n`, err: '' }
    expect(await cli(['--version'])).to.deep.include(expected)
    expect(await cli(['-V'])).to.deep.include(expected)
    expect((await cli(['--help'], { env: { LANG: 'ko_KR.UTF-8' } })).out).to.match(/-V, --version +어느 릴리스인지/)
  })
})

interface Package {
  readonly version: string
}

describe('gpu-broker migrate, backup and restore', () => {
  const env = { DATABASE_URL: 'postgres://me:hunter2@127.0.0.1:1/nothing' }

  for (const args of [['migrate'], ['backup', '/tmp/there-is-no-such-folder/one.gz']]) {
    it(`say in one line that the database cannot be reached: ${args[0]}`, async () => {
      const ran = await cli(args, { env })
      expect(ran).to.deep.include({ status: 1, out: '' })
      expect(ran.err)
        .to.match(/^gpu-broker: the database cannot be reached \(.*\)\n$/)
        .and.not.include('hunter2')
    })
  }

  it('say in one line what a variable should be', async () => {
    const ran = await cli(['migrate'], { env: { DATABASE_URL: 'mysql://db/x' } })
    expect(ran).to.deep.include({ status: 1, err: 'gpu-broker: DATABASE_URL: must be a postgres:// URL\n' })
  })

  it('say in one line that a file is no backup', async () => {
    const ran = await cli(['restore', new URL(import.meta.url).pathname], { env: {} })
    expect(ran.status).to.equal(1)
    expect(ran.err).to.match(/^gpu-broker: .*local\.test\.ts cannot be read \(Z_DATA_ERROR\)\n$/)
  })
})

describe('gpu-broker config', () => {
  it('prints every member with its value, secrets masked', async () => {
    const env = {
      PROVIDERS: 'providers.json',
      OIDC_ISSUER: 'https://issuer.example',
      OIDC_CLIENT_ID: 'gpu-broker',
      OIDC_CLIENT_SECRET: 'not to be seen',
      DATABASE_URL: 'postgres://me:hidden@db.example/broker',
    }
    const ran = await cli(['config'], { env })
    expect(ran.status).to.equal(0)
    expect(ran.out).to.match(/^PORT +8080$/m)
    expect(ran.out).to.match(/^OIDC_CLIENT_SECRET +\*\*\*$/m)
    expect(ran.out).to.match(/^DATABASE_URL +postgres:\/\/me:\*\*\*@db\.example\/broker$/m)
    expect(ran.out).not.to.include('not to be seen').and.not.to.include('hidden')
  })

  it('ends with 1 and one line for a bad value', async () => {
    const ran = await cli(['config'], { env: { PORT: 'eighty', SANDBOX_PORT: '8090' } })
    expect(ran).to.deep.include({ status: 1, out: '' })
    expect(ran.err).to.match(/^gpu-broker: PORT: .*\n$/)
  })
})
