import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { ConfigError, describeConfig, readConfig, readJsonFile, readProviders } from '../broker/config.ts'
import { settingsFrom } from '../broker/settings.ts'
import { sandboxSettings, urlsAt } from '../deploy/sandbox/for-broker.ts'

const OWN = { PROVIDERS: '/etc/gpu-broker/providers.json', OIDC_ISSUER: 'https://login.example.org' }

/** What it is refused with; fails the test if it is not refused. */
function lineOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  throw new Error('it was not refused')
}

describe('the configuration', () => {
  it('has a default for everything that has one', () => {
    const config = readConfig({ SANDBOX_PORT: '8090' })
    expect(config).to.deep.include({
      PORT: 8080,
      METRICS_PORT: 9464,
      HOST: '127.0.0.1',
      DATA_DIR: '.data',
      OIDC_AUDIENCE: 'gpu-broker',
      LOG_LEVEL: 'info',
      SWEEP_INTERVAL_SECONDS: 300,
      SWEEP_MAX_DELETES_PER_HOUR: 8,
    })
    expect(config.DATABASE_URL).to.equal(undefined)
  })

  it('takes a member that is set to nothing for one that is not set', () => {
    expect(readConfig({ ...OWN, PORT: '', DATABASE_URL: '', LOG_LEVEL: '' })).to.deep.include({
      PORT: 8080,
      LOG_LEVEL: 'info',
    })
  })

  it('lets members be that belong to other programs', () => {
    expect(readConfig({ ...OWN, HOME: '/root', PGPORT: 'x' })).to.not.have.any.keys('HOME', 'PGPORT')
  })

  const bad: readonly { readonly env: Readonly<Record<string, string>>; readonly names: string }[] = [
    { env: { PORT: 'http' }, names: 'PORT' },
    { env: { PORT: '65536' }, names: 'PORT' },
    { env: { PORT: '-1' }, names: 'PORT' },
    { env: { PORT: '80.5' }, names: 'PORT' },
    { env: { METRICS_PORT: 'x' }, names: 'METRICS_PORT' },
    { env: { SANDBOX_PORT: '70000' }, names: 'SANDBOX_PORT' },
    { env: { DATABASE_URL: 'mysql://root:hunter2@db/x' }, names: 'DATABASE_URL' },
    { env: { LOG_LEVEL: 'loud' }, names: 'LOG_LEVEL: must be one of trace, debug, info,' },
    { env: { SHUTDOWN_DELAY_SECONDS: '301' }, names: 'SHUTDOWN_DELAY_SECONDS' },
    {
      env: { RETENTION_EVENTS_DAYS: '36501' },
      names: 'RETENTION_EVENTS_DAYS: must be a number of days above 0, at most 36500',
    },
    { env: { OIDC_ISSUER: 'login.example.org' }, names: 'OIDC_ISSUER' },
    { env: { OIDC_ISSUER: 'http://login.example.org' }, names: 'OIDC_ISSUER' },
    { env: { OIDC_ISSUER: 'http://127.example.org' }, names: 'OIDC_ISSUER' },
    { env: { OIDC_ISSUER: 'http://localhost.example.org' }, names: 'OIDC_ISSUER' },
    { env: { OIDC_ISSUER: 'ftp://localhost' }, names: 'OIDC_ISSUER' },
    { env: { OIDC_CLIENT_ID: 'gpu-broker' }, names: 'OIDC_CLIENT_SECRET' },
    { env: { OIDC_CLIENT_SECRET: 'hunter2' }, names: 'OIDC_CLIENT_ID' },
  ]
  for (const { env, names } of bad) {
    it(`refuses ${JSON.stringify(env)} in one line that names ${names} and shows no secret`, () => {
      const line = lineOf(() => readConfig({ ...OWN, ...env }))
      expect(line).to.include(names)
      expect(line).to.not.match(/\n|hunter2/)
    })
  }

  it('names every member that is wrong, not the first alone', () => {
    expect(lineOf(() => readConfig({ ...OWN, PORT: 'x', LOG_LEVEL: 'loud' }))).to.match(/PORT: .+; LOG_LEVEL: .+/)
  })

  for (const issuer of ['http://127.0.0.1:8093', 'http://localhost:8093', 'http://[::1]:8093', OWN.OIDC_ISSUER]) {
    it(`takes ${issuer} as an issuer`, () => {
      expect(readConfig({ ...OWN, OIDC_ISSUER: issuer }).OIDC_ISSUER).to.equal(issuer)
    })
  }

  const halves: readonly Readonly<Record<string, string>>[] = [
    {},
    { PROVIDERS: OWN.PROVIDERS },
    { OIDC_ISSUER: OWN.OIDC_ISSUER },
    { PROVIDERS: OWN.PROVIDERS, SANDBOX_PORT: '8090' },
    { OIDC_ISSUER: OWN.OIDC_ISSUER, SANDBOX_PORT: '8090' },
  ]
  for (const env of halves) {
    it(`takes providers and issuer only together, or the sandbox for both: not ${JSON.stringify(env)}`, () => {
      expect(lineOf(() => readConfig(env))).to.match(/PROVIDERS and OIDC_ISSUER must both be set/)
    })
  }

  for (const page of ['README.md', 'README.ko.md']) {
    it(`is told of whole in ${page}`, async () => {
      const text = await readFile(new URL(`../${page}`, import.meta.url), 'utf8')
      const members = describeConfig(readConfig(OWN)).map(({ name }) => name)
      expect(members.filter((name) => !text.includes(`\`${name}\``))).to.deep.equal([])
    })
  }

  it('is shown whole, without its secrets', () => {
    const shown = describeConfig(
      readConfig({
        ...OWN,
        DATABASE_URL: 'postgres://broker:hunter2@db.example.org/broker',
        OIDC_CLIENT_ID: 'gpu-broker',
        OIDC_CLIENT_SECRET: 'hunter2',
      }),
    )
    expect(JSON.stringify(shown)).to.not.include('hunter2')
    expect(shown).to.deep.include({ name: 'DATABASE_URL', value: 'postgres://broker:***@db.example.org/broker' })
    expect(shown).to.deep.include({ name: 'SANDBOX_PORT', value: '(unset)' })
  })
})

describe('the files that it names', () => {
  let folder: string
  const write = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text)
    return join(folder, name)
  }
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gpu-broker-config-test-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  it('are refused by name when they are not there or are not JSON', async () => {
    const text = await write('text.json', 'providers: none')
    expect(lineOf(() => readJsonFile('INVENTORY', join(folder, 'none.json')))).to.match(
      /^INVENTORY: .+none\.json.+ENOENT/,
    )
    expect(lineOf(() => readJsonFile('INVENTORY', text))).to.match(/^INVENTORY: .+text\.json is not JSON$/)
    const single = await write('single.json', '{}')
    expect(lineOf(() => readProviders(single, {}))).to.match(/^PROVIDERS: .+ must hold a list of providers$/)
  })

  it('take credentials from the environment and from files, wherever they stand', async () => {
    const key = await write('key', 'k-1\n')
    const path = await write('own.json', JSON.stringify([{ a: { secret: 'env:SECRET' }, b: [`file:${key}`], c: 7 }]))
    expect(readProviders(path, { SECRET: 's-1' })).to.deep.equal([{ a: { secret: 's-1' }, b: ['k-1'], c: 7 }])
    expect(lineOf(() => readProviders(path, {}))).to.equal('PROVIDERS: SECRET must be set in the environment')
    const lost = await write('lost.json', JSON.stringify([{ a: 'file:/nowhere/key' }]))
    expect(lineOf(() => readProviders(lost, {}))).to.equal('PROVIDERS: /nowhere/key cannot be read (ENOENT)')
  })

  it('are checked as a whole: a provider serves only its own clusters of the inventory', () => {
    const good = sandboxSettings(urlsAt(8090))
    expect(settingsFrom(good).providers.map(({ id }) => id)).to.deep.equal(['naver', 'nhn', 'kakao'])
    const [naver] = good.providers as readonly { readonly clusters: Readonly<Record<string, unknown>> }[]
    const stranger = { ...naver, clusters: { 'kakao-b200-255': Object.values(naver?.clusters ?? {})[0] } }
    expect(lineOf(() => settingsFrom({ ...good, providers: [stranger] }))).to.equal(
      'PROVIDERS.0.clusters.kakao-b200-255: must be a cluster of naver in the inventory',
    )
    expect(lineOf(() => settingsFrom({ ...good, readInventory: () => ({ clusters: [] }) }))).to.match(/^INVENTORY\./)
    expect(lineOf(() => settingsFrom({ ...good, providers: [{ id: 'x' }] }))).to.match(/^PROVIDERS\.0\.kind: /)
  })
})
