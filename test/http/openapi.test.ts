import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { openApiDocument } from '../../broker/http/openapi.ts'
import { problemCodesOf } from '../../broker/http/openapi-problems.ts'
import { statusOf } from '../../broker/http/problem.ts'
import { ROUTES } from '../../broker/http/routes/all.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

interface Operation {
  readonly operationId: string
  readonly security: readonly object[]
  readonly responses: Readonly<Record<string, unknown>>
}

const paths = openApiDocument().paths as Readonly<Record<string, Readonly<Record<string, Operation>>>>

describe('the OpenAPI document', () => {
  it('has every route, with its scope and the status of everything that it may refuse', () => {
    expect(ROUTES).to.have.length.above(16)
    for (const route of ROUTES) {
      const operation = paths[route.path]?.[route.method]
      expect(operation?.operationId).to.equal(route.operationId)
      expect(operation?.security).to.deep.include({ oauth2: [route.scope] })
      for (const code of problemCodesOf(route)) expect(operation?.responses).to.have.property(String(statusOf(code)))
    }
  })

  it('has nothing else', () => {
    const documented = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    )
    expect(documented).to.have.members(ROUTES.map(({ method, path }) => `${method} ${path}`))
  })

  it('names each operation once', () => {
    expect(new Set(ROUTES.map((route) => route.operationId)).size).to.equal(ROUTES.length)
  })

  for (const route of ROUTES) {
    it(`has examples for ${route.operationId} that its own schemas accept`, () => {
      for (const { schema, example } of Object.values(route.successes))
        expect(() => schema.parse(example)).not.to.throw()
      if (route.body !== null) {
        const { schema, example } = route.body
        expect(() => schema.parse(example)).not.to.throw()
      }
    })
  }

  it('says of each parameter what it is, and shows an example of each answer', () => {
    const { paths = {}, components = {} } = openApiDocument()
    const named = (reference: string | undefined): unknown =>
      reference
        ?.split('/')
        .slice(2)
        .reduce<unknown>((at, name) => (at as Json)[name], components)
    const resolved = (one: unknown): Json => (named((one as Json)['$ref'] as string | undefined) ?? one) as Json
    const lacking = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods ?? {}).flatMap(([method, operation]) => [
        ...(((operation as Json)['parameters'] as unknown[]) ?? [])
          .map(resolved)
          .filter(({ description, schema }) => (description ?? resolved(schema)['description']) === undefined)
          .map(({ name }) => `${method} ${path}: ${name as string}`),
        ...Object.entries((operation as Json)['responses'] as Json).flatMap(([status, response]) =>
          Object.entries((resolved(response)['content'] ?? {}) as Json)
            .filter(([, content]) => !('example' in (content as Json)) && !('examples' in (content as Json)))
            .map(([type]) => `${method} ${path}: ${status} ${type}`),
        ),
      ]),
    )
    expect(lacking).to.deep.equal([])
  })

  it('is the one that is committed', () => {
    const committed = JSON.parse(readFileSync(`${ROOT}/openapi.json`, 'utf8')) as unknown
    expect(committed).to.deep.equal(JSON.parse(JSON.stringify(openApiDocument())))
  })

  it('shows where this installation’s tokens come from', () => {
    const document = JSON.stringify(openApiDocument({ tokenUrl: 'https://issuer.test/token' }))
    expect(document).to.include('https://issuer.test/token').and.not.include('identity.invalid')
  })

  it('passes redocly’s recommended rules without a warning', async function () {
    this.timeout(120_000)
    const { stderr } = await run(
      process.execPath,
      ['node_modules/@redocly/cli/bin/cli.js', 'lint', '--extends=recommended', 'openapi.json'],
      {
        cwd: ROOT,
        env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
      },
    )
    expect(stderr)
      .to.include('Your API description is valid')
      .and.not.match(/warning/i)
  })
})

type Json = Readonly<Record<string, unknown>>
