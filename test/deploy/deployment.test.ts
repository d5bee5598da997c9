/** What deploys the broker, read as what it is: every variable that it sets is one, and every file that it mounts is there. */
import { readdirSync, readFileSync, existsSync } from 'node:fs'
import { Ajv } from 'ajv'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { parse } from 'yaml'
import { createProvider } from '../../adapters/registry.ts'
import { describeConfig, readConfig } from '../../broker/config.ts'
import { settingsFrom } from '../../broker/settings.ts'
import { Inventory } from '../../shared/inventory.ts'

const DEPLOY = new URL('../../deploy/', import.meta.url)
const ROOT = new URL('../../', import.meta.url)
const CHART = new URL('helm/gpu-broker/', DEPLOY)
const textOf = (path: string, from = DEPLOY): string => readFileSync(new URL(path, from), 'utf8')
const yamlOf = (path: string, from = DEPLOY): unknown => parse(textOf(path, from), { merge: true })

const OWN = { PROVIDERS: '/etc/gpu-broker/providers.json', OIDC_ISSUER: 'https://login.example.org' }
const VARIABLES: ReadonlySet<string> = new Set(describeConfig(readConfig(OWN)).map(({ name }) => name))
/** Of Node, and of the sandbox (deploy/sandbox/settings.ts). */
const OTHERS: ReadonlySet<string> = new Set(['NODE_ENV', 'SANDBOX_DIR'])
const strangersIn = (names: readonly string[]): readonly string[] =>
  names.filter((name) => !VARIABLES.has(name) && !OTHERS.has(name))
/** What a broker finishes in after it has stopped taking requests. */
const FINISHES_WITHIN_S = 10

interface Service {
  readonly image: string
  readonly environment?: Readonly<Record<string, string>>
  readonly volumes?: readonly string[]
  readonly profiles?: readonly string[]
  readonly user?: string
  readonly read_only?: boolean
  readonly stop_grace_period?: string
  readonly networks?: { readonly default?: { readonly aliases?: readonly string[] } }
}

/** As compose does it, with what an `.env` might say. */
const interpolated = (text: string): string =>
  text.replaceAll(/\$\{(\w+)(?::-([^}]*)|:\?[^}]*)?\}/g, (_whole, name: string, or?: string) =>
    name === 'OIDC_ISSUER' ? OWN.OIDC_ISSUER : (or ?? 'said-in-env'),
  )

/** @throws Error for an entry that the broker, or its adapter, would not start with, whatever its secrets are */
function openAll(named: readonly unknown[], inventory: unknown): void {
  const providers = JSON.parse(JSON.stringify(named).replaceAll(/"(?:env|file):[^"]+"/g, '"secret"')) as unknown[]
  for (const { kind, raw } of settingsFrom({
    ...{ providers, readInventory: () => inventory, issuer: OWN.OIDC_ISSUER, audience: 'gpu-broker' },
    introspection: null,
  }).providers) {
    createProvider(kind, raw, { now: Date.now }).close()
  }
}

const programme: unknown = JSON.parse(textOf('inventory.json'))

describe('compose.yaml', () => {
  const { services, volumes } = yamlOf('compose.yaml') as {
    readonly services: Readonly<Record<string, Service>>
    readonly volumes: Readonly<Record<string, unknown>>
  }
  const own = Object.entries(services).filter(([, { image }]) => image.includes('GPU_BROKER_IMAGE'))

  it('sets no variable that nobody reads', () => {
    expect(own.map(([name]) => name)).to.deep.equal(['broker', 'sandbox', 'sandbox-broker'])
    for (const [name, { environment = {} }] of own)
      expect(strangersIn(Object.keys(environment)), name).to.deep.equal([])
  })

  it('configures brokers that start', () => {
    for (const name of ['broker', 'sandbox-broker']) {
      const { environment = {} } = services[name] ?? { image: '' }
      readConfig(Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, interpolated(value)])))
    }
    const mounted = services['broker']?.environment?.['PROVIDERS']
    expect(services['broker']?.volumes).to.include(`./compose/providers.json:${mounted}:ro`)
    openAll(JSON.parse(textOf('compose/providers.json')) as unknown[], programme)
  })

  it('mounts files that are there, and volumes that it declares', () => {
    for (const [name, { volumes: mounts = [] }] of Object.entries(services)) {
      for (const mount of mounts) {
        const source = mount.split(':')[0] ?? ''
        const isThere = source.startsWith('.') ? existsSync(new URL(source, DEPLOY)) : source in volumes
        expect(isThere, `${name}: ${source}`).to.equal(true)
      }
    }
  })

  it('gives the broker time to leave: more than the load balancer takes to notice, and then to finish', () => {
    const { environment = {}, stop_grace_period: grace = '' } = services['broker'] ?? { image: '' }
    const delayS = Number(environment['SHUTDOWN_DELAY_SECONDS'])
    const [, interS, fall] = /check inter (\d+)s fall (\d+)/.exec(textOf('compose/haproxy.cfg')) ?? []
    expect(delayS).to.be.greaterThan(Number(interS) * Number(fall))
    expect(Number.parseInt(grace, 10)).to.be.greaterThan(delayS + FINISHES_WITHIN_S)
  })

  it('has the names that load balancer and Prometheus ask for', () => {
    const names = new Set([...Object.keys(services), ...(services['sandbox']?.networks?.default?.aliases ?? [])])
    const asked = [...textOf('prometheus/prometheus.yml').matchAll(/names: \[(\S+)\]/g)].map(([, name]) => name ?? '')
    expect(asked).to.include('broker')
    for (const name of asked) expect([...names], name).to.include(name)
    expect(textOf('compose/haproxy.cfg')).to.include(' broker:8080 ').and.include('uri /readyz ')
  })

  it('names every secret only in an environment that whoever runs it makes', () => {
    expect(textOf('compose.yaml')).to.not.match(/PASSWORD: (?!\$\{)\S/)
    expect(textOf('compose.yaml').match(/\$\{POSTGRES_PASSWORD(?!:\?)/)).to.equal(null)
  })
})

describe('the image', () => {
  const lines = textOf('Dockerfile')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
  const ignored = textOf('.dockerignore', ROOT)

  it('sets no variable that nobody reads', () => {
    const set = lines.filter((line) => line.startsWith('ENV ')).flatMap((line) => [...line.matchAll(/(\w+)=/g)])
    const names = set.map(([, name]) => name ?? '')
    expect(names).to.include('HOST').and.include('DATA_DIR')
    expect(strangersIn(names)).to.deep.equal([])
  })

  it('copies what is there and what the build is sent', () => {
    for (const line of lines.filter((one) => one.startsWith('COPY ') && !one.includes('--from='))) {
      for (const source of line.split(' ').slice(1, -1)) {
        expect(existsSync(new URL(source, ROOT)), source).to.equal(true)
        expect(ignored, source).to.match(new RegExp(`^!${source.replaceAll('.', '\\.')}(?:/|$)`, 'm'))
      }
    }
  })

  it('runs as nobody in particular, and says whether it lives', () => {
    const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')))
    expect(last).to.include('USER 1000:1000')
    expect(last.some((line) => line.startsWith('HEALTHCHECK ') && line.includes('/livez'))).to.equal(true)
    expect(lines.filter((line) => line.startsWith('FROM ')).every((line) => line.includes('${NODE_IMAGE}'))).to.equal(
      true,
    )
  })
})

describe('the unit of systemd', () => {
  const unit = textOf('systemd/gpu-broker.service')

  it('sets no variable that nobody reads', () => {
    const set = [...unit.matchAll(/^Environment=(.*)$/gm)].flatMap(([, text]) => (text ?? '').split(' '))
    expect(strangersIn(set.map((one) => one.split('=')[0] ?? ''))).to.deep.equal([])
  })

  it('starts what the package calls gpu-broker, and gives it time to leave', () => {
    const { bin } = JSON.parse(textOf('package.json', ROOT)) as { readonly bin: Readonly<Record<string, string>> }
    expect(unit).to.include(`/opt/gpu-broker/${bin['gpu-broker']} serve`)
    const delayS = Number(/SHUTDOWN_DELAY_SECONDS=(\d+)/.exec(unit)?.[1])
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])).to.be.greaterThan(delayS + FINISHES_WITHIN_S)
  })
})

describe('the Helm chart', () => {
  interface Values {
    readonly config: Readonly<Record<string, string>>
    readonly providers: readonly unknown[]
    readonly inventory: object
    readonly providerSecrets: readonly string[]
  }
  const values = yamlOf('values.yaml', CHART) as Values
  const example = yamlOf('ci/values.yaml', CHART) as Values
  const schema = JSON.parse(textOf('values.schema.json', CHART)) as {
    readonly properties: Readonly<Record<string, unknown>> & {
      readonly config: { readonly not: { readonly anyOf: readonly { readonly required: readonly string[] }[] } }
    }
  }
  const templates = readdirSync(new URL('templates/', CHART)).map((name) => textOf(`templates/${name}`, CHART))
  const deployment = textOf('templates/deployment.yaml', CHART)
  const named = [...deployment.matchAll(/- name: ([A-Z][A-Z0-9_]*)$/gm)].map(([, name]) => name ?? '')

  it('sets no variable that nobody reads', () => {
    expect(named).to.include('PROVIDERS')
    expect(strangersIn([...Object.keys(values.config), ...named])).to.deep.equal([])
  })

  it('lets nobody set as plain text what it takes from a secret, or sets itself', () => {
    const refused = schema.properties.config.not.anyOf.flatMap(({ required }) => required)
    expect(refused).to.have.members([...named, 'DATABASE_URL'])
  })

  it('has values that its schema takes, each of them, and refuses others', () => {
    const isValid = new Ajv({ allErrors: true }).compile(schema)
    expect(isValid(values), JSON.stringify(isValid.errors)).to.equal(true)
    expect(isValid(merged(values, example)), JSON.stringify(isValid.errors)).to.equal(true)
    expect(Object.keys(values).toSorted()).to.deep.equal(
      Object.keys(schema.properties)
        .filter((name) => name !== 'global')
        .toSorted(),
    )
    for (const wrong of [
      { replicas: 0 },
      { config: { ...values.config, DATABASE_URL: 'postgres://me:hunter2@db/x' } },
      { config: { ...values.config, OIDC_ISSUER: 'http://login.example.org' } },
      { image: { repository: 'x', digest: 'latest' } },
      { replica: 3 },
    ]) {
      expect(isValid({ ...values, ...wrong }), JSON.stringify(wrong)).to.equal(false)
    }
  })

  /** As Helm does it with a file of values. */
  function merged(under: object, over: object): object {
    const entries = Object.entries(over).map(([name, value]: [string, unknown]) => {
      const other: unknown = under[name as keyof typeof under]
      return [name, isMap(value) && isMap(other) ? merged(other, value) : value]
    })
    return { ...under, ...(Object.fromEntries(entries) as object) }
  }
  const isMap = (value: unknown): value is object =>
    typeof value === 'object' && value !== null && !Array.isArray(value)

  it('uses every value, and no other', () => {
    const used = templates.flatMap((text) => [...text.matchAll(/\.Values\.(\w+)/g)].map(([, name]) => name ?? ''))
    expect([...new Set(used)].toSorted()).to.deep.equal(Object.keys(values).toSorted())
  })

  it('has an example that a broker starts with', () => {
    readConfig({ ...OWN, ...values.config })
    openAll(example.providers, Inventory.parse(example.inventory))
    for (const [, secret] of JSON.stringify(example.providers).matchAll(/file:\/run\/secrets\/([^/"]+)\//g)) {
      expect(example.providerSecrets).to.include(secret)
    }
  })
})
