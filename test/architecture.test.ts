/**
 * Who may import whom. A rule is one line; its name is the sentence that a developer reads when
 * a change breaks it. Who wants to change a rule changes it here, and says why in the commit.
 */
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { type Source, parseSource, readSources } from './support/sources.ts'

const SOURCES = readSources(['shared', 'adapters', 'broker', 'deploy', 'docs'])
const NODE = 'node:'

interface ImportRule {
  readonly says: string
  readonly files: RegExp
  /** What an import may begin with; after `types of ` only for imports of types. */
  readonly may: readonly string[]
}

const only = (says: string, files: RegExp, may: readonly string[]): ImportRule => ({ says, files, may })

const SHARED_BY_ADAPTERS = ['adapters/http.ts', 'adapters/flight.ts', 'adapters/looks.ts', 'shared/']

const IMPORTS: readonly ImportRule[] = [
  only('the vocabulary imports itself and zod, nothing else', /^shared\//, ['shared/', 'zod']),
  ...['naver', 'nhn', 'kakao'].map((own) =>
    only(
      `the adapter of ${own} imports its own folder and what all adapters share: never another operator's, never the broker`,
      new RegExp(`^adapters/${own}/`),
      [`adapters/${own}/`, ...SHARED_BY_ADAPTERS, 'axios', 'zod', 'node:crypto'],
    ),
  ),
  only(
    'the adapter of our own protocol gets its tokens and its page by libraries, and otherwise imports what the others do',
    /^adapters\/remote\//,
    ['adapters/remote/', ...SHARED_BY_ADAPTERS, 'openid-client', 'zod', 'zod-openapi', 'node:fs'],
  ),
  only('what all adapters share knows none of them, but for their list', /^adapters\/(?!registry)[^/]+\.ts$/, [
    ...SHARED_BY_ADAPTERS,
    'adapters/gate.ts',
    'axios',
    'zod',
    NODE,
  ]),
  only('the list of adapters imports adapters and the contract', /^adapters\/registry\.ts$/, [
    'adapters/',
    'shared/',
    'zod',
  ]),
  only('the core imports itself and the vocabulary: nothing of Node, nothing from npm', /^broker\/core\//, [
    'broker/core/',
    'shared/',
  ]),
  only('use cases know the core and the store: no HTTP, no provider, no adapter', /^broker\/app\//, [
    'broker/app/',
    'broker/core/',
    'broker/store/',
    'broker/random.ts',
    'broker/tracing.ts',
    'shared/',
    'node:crypto',
  ]),
  only('the store imports its engines, and of the core only types', /^broker\/store\//, [
    'broker/store/',
    'types of broker/core/',
    'shared/',
    'kysely',
    'pg',
    '@electric-sql/pglite',
    NODE,
  ]),
  only('what guards a provider knows the contract and the metrics: no store, no use case', /^broker\/providers\//, [
    'broker/providers/',
    'broker/metrics.ts',
    'broker/tracing.ts',
    'shared/',
    'opossum',
    'node:timers/promises',
  ]),
  only('workers use use cases, the store and guarded providers: no HTTP, no adapter', /^broker\/workers\//, [
    'broker/workers/',
    'broker/app/',
    'broker/core/',
    'broker/store/',
    'broker/providers/',
    'broker/outbound/',
    'broker/metrics.ts',
    'broker/tracing.ts',
    'shared/',
    'pg-boss',
    'types of pino',
    'node:crypto',
    'node:timers/promises',
  ]),
  only(
    'what sends to others’ endpoints knows addresses and HTTP, and nothing of what it sends',
    /^broker\/outbound\//,
    ['broker/outbound/', 'shared/', 'ipaddr.js', NODE],
  ),
  only('the HTTP layer calls use cases: no worker, no provider, no adapter, nothing of the core', /^broker\/http\//, [
    'broker/http/',
    'broker/app/',
    'types of broker/store/',
    'types of broker/metrics.ts',
    'broker/tracing.ts',
    'shared/',
    'express',
    'helmet',
    'rate-limiter-flexible',
    'jose',
    'openid-client',
    'rate-limiter-flexible',
    'swagger-ui-dist',
    'types of pino',
    'zod',
    'zod-openapi',
    NODE,
  ]),
  only('the client speaks the API with the vocabulary alone', /^broker\/client\//, [
    'broker/client/',
    'shared/',
    'eventsource-parser',
    'openid-client',
    NODE,
  ]),
  only(
    'the conformance kit knows the contract alone: no adapter but the one that it is handed, no store',
    /^broker\/conformance\//,
    ['broker/conformance/', 'broker/resolve-secrets.ts', 'shared/', 'zod', NODE],
  ),
  only(
    'the doctor looks at what a broker would use, by way of its parts: it imports no adapter and changes nothing',
    /^broker\/doctor\//,
    [
      'broker/doctor/',
      'broker/config.ts',
      'types of broker/settings.ts',
      'broker/store/',
      'broker/http/issuer.ts',
      'shared/',
      NODE,
    ],
  ),
  only('the command line uses the client, and starts the broker: it reaches into neither', /^broker\/cli\//, [
    'broker/cli/',
    'broker/client/',
    'broker/core/',
    'broker/conformance/',
    'broker/simulate/',
    'broker/config.ts',
    'broker/main.ts',
    'broker/maintenance.ts',
    'broker/version.ts',
    'types of broker/doctor/',
    'shared/',
    'commander',
    'cli-table3',
    'yaml',
    'zod',
    NODE,
  ]),
  only('the simulator replays through the very core, and knows neither store nor provider', /^broker\/simulate\//, [
    'broker/simulate/',
    'broker/core/',
    'shared/',
    NODE,
  ]),
  only('traces and the log know nothing of what they tell of', /^broker\/(tracing|log)\.ts$/, [
    'broker/random.ts',
    'broker/tracing.ts',
    'shared/',
    '@opentelemetry/api',
    'pino',
    'node:async_hooks',
  ]),
  only('random bytes come from Node alone', /^broker\/random\.ts$/, ['node:crypto']),
  only('the configuration depends on nothing that it configures', /^broker\/(config|settings)\.ts$/, [
    'broker/config.ts',
    'broker/resolve-secrets.ts',
    'types of broker/providers/',
    'shared/',
    'zod',
    'node:fs',
  ]),
  only('the metrics know nothing of what they measure', /^broker\/metrics(\.ts$|\/)/, [
    'broker/metrics/',
    'prom-client',
    'node:fs',
    'node:url',
  ]),
  only('what is shown of the whole is read from it, and changes nothing', /^broker\/observe\//, [
    'broker/observe/',
    'broker/metrics.ts',
    'types of broker/app/',
    'broker/core/',
    'broker/store/',
    'types of broker/providers/',
    'shared/',
    'node:perf_hooks',
  ]),
  only(
    'the broker’s other roots bind layers together and import no adapter',
    /^broker\/(?!(?:main|config|settings|metrics|tracing|log)\.)[^/]+\.ts$/,
    ['broker/', 'shared/', NODE],
  ),
  only('what starts the broker binds all of it together', /^broker\/start\/(?!operators\.)/, [
    'broker/',
    'shared/',
    'types of pino',
    NODE,
  ]),
  only('the list of configured operators is the only file to import adapters', /^broker\/start\/operators\.ts$/, [
    'adapters/registry.ts',
    'broker/',
    'types of pino',
    'zod',
  ]),
  only('the program alone knows that there is a sandbox, and starts the broker', /^broker\/main\.ts$/, [
    'broker/',
    'deploy/sandbox/for-broker.ts',
    'shared/',
    NODE,
  ]),
  only('the sandbox knows nothing of the broker or its adapters', /^deploy\/sandbox\//, [
    'deploy/sandbox/',
    'deploy/inventory.json',
    'shared/',
    'oidc-provider',
    'zod',
    NODE,
  ]),
  only(
    'what starts and shows the broker reads its configuration, and talks to it as any client does',
    /^deploy\/[^/]+\.ts$/,
    ['deploy/', 'broker/config.ts', 'broker/client/', 'broker/cli/', 'shared/', 'zod', NODE],
  ),
  only('dashboards know what they show by its name alone', /^deploy\/grafana\//, ['deploy/grafana/', NODE]),
  only(
    'an example that outsiders read is written from the pages: of ours it uses the sandbox’s harness, no adapter, no broker',
    /^docs\//,
    ['docs/', 'deploy/sandbox/harness.ts', 'deploy/sandbox/behaviour.ts', '@opentelemetry/', 'zod', 'node:crypto'],
  ),
]

interface OwnedPackage {
  readonly name: string
  readonly files: RegExp
}

/** Where each package may appear at all: the place to change when it is replaced. */
const OWNED: readonly OwnedPackage[] = [
  { name: 'prom-client', files: /^broker\/metrics\.ts$/ },
  { name: '@opentelemetry/api', files: /^(broker\/tracing\.ts$|docs\/examples\/tracing\/)/ },
  { name: 'express', files: /^broker\/http\// },
  { name: 'openid-client', files: /^(broker\/(http|client)|adapters\/remote)\// },
  { name: 'opossum', files: /^broker\/providers\// },
  { name: 'axios', files: /^adapters\// },
  { name: 'ipaddr.js', files: /^broker\/outbound\// },
  { name: 'pg-boss', files: /^broker\/workers\// },
  { name: 'kysely', files: /^broker\/store\// },
  { name: 'pg', files: /^broker\/store\// },
  { name: '@electric-sql/pglite', files: /^broker\/store\// },
  { name: 'eventsource-parser', files: /^broker\/client\// },
  { name: 'yaml', files: /^broker\/cli\// },
  { name: 'oidc-provider', files: /^deploy\/sandbox\// },
]

const canBe = (rule: ImportRule, of: string, typesOnly: boolean): boolean =>
  rule.may.some((begin) => {
    const types = begin.startsWith('types of ')
    const prefix = types ? begin.slice('types of '.length) : begin
    if (types && !typesOnly) return false
    return prefix.endsWith('/') || prefix.endsWith(':') ? of.startsWith(prefix) : of === prefix
  })

function breaches(rule: ImportRule, sources: readonly Source[]): readonly string[] {
  return sources
    .filter(({ file }) => rule.files.test(file))
    .flatMap(({ file, imports }) =>
      imports.filter(({ of, typesOnly }) => !canBe(rule, of, typesOnly)).map(({ of }) => `${file} imports ${of}`),
    )
}

describe('who may import whom', () => {
  it('is checked on what is really there', () => {
    expect(SOURCES).to.have.length.greaterThan(50)
    expect(SOURCES.flatMap((source) => source.imports)).to.have.length.greaterThan(200)
  })

  it('has a rule for every file', () => {
    const free = SOURCES.filter(({ file }) => !IMPORTS.some((rule) => rule.files.test(file)))
    expect(free.map((source) => source.file)).to.deep.equal([])
  })

  for (const rule of IMPORTS) {
    it(rule.says, () => {
      expect(SOURCES.filter(({ file }) => rule.files.test(file))).to.not.deep.equal([])
      expect(breaches(rule, SOURCES)).to.deep.equal([])
    })
  }

  for (const { name, files } of OWNED) {
    it(`${name} is imported where ${files.source.replaceAll(/[\\^$]/g, '')} says, and nowhere else`, () => {
      const users = SOURCES.filter(({ imports }) => imports.some(({ of }) => of === name))
      expect(users).to.not.deep.equal([])
      expect(users.filter(({ file }) => !files.test(file)).map(({ file }) => file)).to.deep.equal([])
    })
  }

  it('is broken by a value where only types may be imported, and not by a type', () => {
    const inStore = (text: string) =>
      IMPORTS.flatMap((rule) => breaches(rule, [parseSource('broker/store/x.ts', text)]))
    expect(inStore("import type { Cluster } from '../core/cluster.ts'")).to.deep.equal([])
    expect(inStore("import { clustersOf } from '../core/cluster.ts'")).to.deep.equal([
      'broker/store/x.ts imports broker/core/cluster.ts',
    ])
  })

  it('is broken by a folder whose name only begins alike', () => {
    const source = parseSource('broker/core/x.ts', "import a from '../../shared-too/a.ts'\nimport b from 'zod-openapi'")
    expect(IMPORTS.flatMap((rule) => breaches(rule, [source]))).to.have.length(2)
  })
})
