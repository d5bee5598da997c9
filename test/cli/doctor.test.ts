import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { after, afterEach, before, describe, it } from 'mocha'
import type { Examined } from '../../broker/doctor/check.ts'
import { ensureHead, installationId } from '../../broker/store/head.ts'
import { type BrokerFiles, brokerFiles } from '../durability/broker-process.ts'
import { type Operators, OPERATORS, startOperators } from '../durability/operators.ts'
import { closeAll } from '../support/close-all.ts'
import { type DatabasePlace, newDatabasePlace, openAt } from '../support/database.ts'
import { cli, type Ran } from './cli-world.ts'

describe('gpu-broker doctor', function () {
  this.timeout(60_000)
  let operators: Operators
  let files: BrokerFiles
  let folder: string
  let env: Readonly<Record<string, string>>
  before(async () => {
    operators = await startOperators()
    files = await brokerFiles(operators.settings)
    folder = await mkdtemp(join(tmpdir(), 'gpu-broker-doctor-'))
    env = {
      ...files.env,
      DATA_DIR: join(folder, 'new'),
      OIDC_CLIENT_ID: operators.settings.introspection.clientId,
      OIDC_CLIENT_SECRET: operators.settings.introspection.clientSecret,
    }
  })
  afterEach(() => operators.calm())
  after(() =>
    closeAll(
      () => files.remove(),
      () => rm(folder, { recursive: true, force: true }),
      () => operators.close(),
    ),
  )

  interface Told extends Ran {
    readonly all: readonly Examined[]
    of(what: string, check: string): Examined | undefined
    failed(): readonly string[]
  }
  async function doctor(changes: Readonly<Record<string, string>> = {}): Promise<Told> {
    const ran = await cli(['doctor', '--json'], { env: { ...env, ...changes } })
    const all = JSON.parse(ran.out) as readonly Examined[]
    return {
      ...ran,
      all,
      of: (what, check) => all.find((one) => one.of === what && one.check === check),
      failed: () => all.filter(({ state }) => state === 'fail').map((one) => `${one.of}: ${one.check}`),
    }
  }
  /** The providers' file with one of them changed. */
  async function providersWith(id: string, change: (provider: Record<string, unknown>) => object): Promise<string> {
    const list = JSON.parse(await readFile(env['PROVIDERS'] ?? '', 'utf8')) as Record<string, unknown>[]
    const path = join(folder, `${id}.json`)
    await writeFile(path, JSON.stringify(list.map((one) => (one['id'] === id ? change(one) : one))))
    return path
  }

  it('finds nothing to mend where all is well, and ends with 0', async () => {
    const told = await doctor()
    expect(told.failed()).to.deep.equal([])
    expect(told.status).to.equal(0)
    for (const operator of OPERATORS) {
      expect(told.of(operator, 'answers')?.state).to.equal('ok')
      expect(told.of(operator, 'clock')).to.deep.include({ state: 'ok', found: 'as ours' })
    }
    expect(told.of('issuer', 'introspection')?.state).to.equal('ok')
    expect(told.of('nhn-b200-255', 'configured')?.state).to.equal('ok')
    expect(told.of('nhn-b200-255', 'isolation')?.state).to.equal('warn')
  })

  it('shows people a table with what to do', async () => {
    const { out } = await cli(['doctor'], { env: { ...env, OIDC_ISSUER: 'http://127.0.0.1:1' } })
    expect(out).to.match(/^fail +issuer +discovery /m)
    expect(out).to.match(/→ check OIDC_ISSUER/)
    expect(out).to.match(/\d+ ok, \d+ to know, 1 to mend\n$/)
  })

  it('tells of a bad variable, and looks at the store all the same', async () => {
    const told = await doctor({ PORT: 'eighty' })
    expect(told.status).to.equal(1)
    expect(told.failed()).to.deep.equal(['configuration: environment'])
    expect(told.of('configuration', 'environment')?.found).to.include('PORT')
    expect(told.of('database', 'reachable')?.state).to.equal('ok')
  })

  it('tells of a file that is not there', async () => {
    const told = await doctor({ PROVIDERS: join(folder, 'none.json') })
    expect(told.failed()).to.deep.equal(['configuration: files'])
    expect(told.of('configuration', 'files')?.found).to.include('none.json').and.include('ENOENT')
  })

  it('tells of a database that is not there, without its password', async () => {
    const told = await doctor({ DATABASE_URL: 'postgres://me:hunter2@127.0.0.1:1/nothing' })
    expect(told.failed()).to.deep.equal(['database: reachable'])
    expect(told.of('database', 'reachable')?.advice).to.include('DATABASE_URL')
    expect(told.out).to.not.include('hunter2')
  })

  it('tells of an operator that lets nobody in, and of no other', async () => {
    const told = await doctor({ PROVIDERS: await providersWith('nhn', (one) => ({ ...one, password: 'hunter2' })) })
    expect(told.failed()).to.deep.equal(['nhn: answers'])
    expect(told.of('nhn', 'answers')?.found).to.match(/^unauthenticated/)
    expect(told.of('nhn', 'answers')?.advice).to.include('keys')
    expect(told.out).to.not.include('hunter2')
  })

  it('tells of an operator that is not there', async () => {
    const path = await providersWith('naver', (one) => ({
      ...one,
      vserverUrl: 'http://127.0.0.1:1/v',
      vpcUrl: 'http://127.0.0.1:1/v',
    }))
    const told = await doctor({ PROVIDERS: path })
    expect(told.failed()).to.deep.equal(['naver: answers'])
    expect(told.of('naver', 'answers')?.advice).to.include('URLs')
  })

  it('tells of an entry that its adapter cannot take, by its path', async () => {
    const told = await doctor({ PROVIDERS: await providersWith('kakao', (one) => ({ ...one, iamUrl: 'nowhere' })) })
    expect(told.failed()).to.deep.equal(['kakao: configured'])
    expect(told.of('kakao', 'configured')?.found).to.include('iamUrl')
  })

  it('tells of an image that does not exist there', async () => {
    const path = await providersWith('nhn', (one) => {
      const clusters = one['clusters'] as Record<string, object> // for-broker.ts makes them
      const images = { 'ubuntu-22.04-cuda': '00000000-0000-4000-8000-00000000dead' }
      return { ...one, clusters: { ...clusters, 'nhn-b200-255': { ...clusters['nhn-b200-255'], images } } }
    })
    const told = await doctor({ PROVIDERS: path })
    expect(told.failed()).to.deep.equal(['nhn-b200-255: configured'])
    expect(told.of('nhn-b200-255', 'configured')?.found).to.include('ubuntu-22.04-cuda')
  })

  for (const [offsetMs, state, found] of [
    [-30_000, 'warn', '30 s behind'],
    [180_000, 'fail', '180 s ahead'],
  ] as const) {
    it(`tells of an operator’s clock that is ${found}`, async () => {
      await operators.setClock('kakao', offsetMs)
      expect((await doctor()).of('kakao', 'clock')?.state).to.equal(state)
      const seconds = Number.parseInt((await doctor()).of('kakao', 'clock')?.found ?? '', 10)
      expect(seconds).to.be.within(Number.parseInt(found, 10) - 2, Number.parseInt(found, 10) + 2)
    })
  }

  it('tells of an issuer that does not know the broker’s own client', async () => {
    const told = await doctor({ OIDC_CLIENT_SECRET: 'hunter2' })
    expect(told.failed()).to.deep.equal(['issuer: introspection'])
    expect(told.out).to.not.include('hunter2')
  })

  describe('about a store', () => {
    let place: DatabasePlace
    before(async () => {
      place = await newDatabasePlace('postgres')
      const database = await openAt(place)
      await ensureHead(database.queries, Date.now())
      await installationId(database.queries, 'ins_doctor', Date.now())
      await database.queries.updateTable('installation').set({ deletesHeld: true }).execute()
      await database.close()
    })
    after(() => place.remove())

    it('tells whose it is, that deletions are held, and what would lose an acknowledged request', async () => {
      const told = await doctor({ DATABASE_URL: place.url ?? '' })
      expect(told.of('database', 'reachable')?.found).to.match(/^postgres 18\..*, installation ins_doctor$/)
      expect(told.of('database', 'migrations')?.state).to.equal('ok')
      expect(told.of('database', 'deletions')).to.deep.include({ state: 'warn', found: 'held' })
      expect(told.of('database', 'clock')?.state).to.equal('ok')
      expect(told.failed()).to.deep.equal(['database: durability']) // tests run without fsync
      expect(told.of('database', 'durability')?.found).to.include('fsync is off')
      expect(told.of('nhn', 'lists nodes')?.found).to.equal('0 with this installation’s tag')
    })
  })
})
