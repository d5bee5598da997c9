/** Which refusals a route can give, as responses of the OpenAPI document: one per status, with an example per code. */
import { z } from 'zod'
import type { ZodOpenApiResponseObject, ZodOpenApiResponsesObject } from 'zod-openapi'
import { Problem } from '../../shared/problem.ts'
import { Refusal, type RefusalCode, invalidRequest } from '../../shared/refusal.ts'
import { problemOf, statusOf, titleOf } from './problem.ts'
import type { Route } from './route.ts'

/** All codes that a route can answer with. */
export function problemCodesOf(route: Route): readonly RefusalCode[] {
  const codes = new Set<RefusalCode>(['invalid-request', 'unauthorized', 'insufficient-scope'])
  if (route.path.includes('{')) codes.add('not-found')
  if (route.body !== null) codes.add('payload-too-large').add('unsupported-media-type')
  if (route.method !== 'get') codes.add('stale')
  for (const code of route.problems) codes.add(code)
  if (route.takesIdempotencyKey) codes.add('idempotency-key-reused').add('idempotency-in-flight')
  return [...codes.add('rate-limited').add('internal').add('unavailable')]
}

export function problemResponses(route: Route): ZodOpenApiResponsesObject {
  const byStatus = Map.groupBy(problemCodesOf(route), statusOf)
  return Object.fromEntries([...byStatus].map(([status, codes]) => [String(status), responseOf(codes)]))
}

/** On every response. */
export const REQUEST_ID = z.string().meta({
  description: 'The caller’s own id of this request if it sent a sane one, else a new one.',
  header: { id: 'RequestId' },
})

/** On every answer to a client that is known. */
export const RATE_LIMIT = {
  'RateLimit-Policy': z
    .string()
    .optional()
    .meta({
      description: 'How much a client may ask: `q` requests in `w` seconds.',
      example: '"default";q=400;w=2',
      header: { id: 'RateLimitPolicy' },
    }),
  RateLimit: z
    .string()
    .optional()
    .meta({
      description: 'What is left: `r` requests in the next `t` seconds.',
      example: '"default";r=399;t=2',
      header: { id: 'RateLimit' },
    }),
}

const components = new Map<RefusalCode, ZodOpenApiResponseObject>()

/** A status with one code is the same component wherever it appears; zod-openapi knows it by the object's identity. */
function responseOf(codes: readonly RefusalCode[]): ZodOpenApiResponseObject {
  const [code] = codes
  if (code === undefined || codes.length > 1) return describe(codes)
  const component = components.get(code) ?? { id: pascalCase(code), ...describe(codes) }
  components.set(code, component)
  return component
}

function describe(codes: readonly RefusalCode[]): ZodOpenApiResponseObject {
  return {
    description: codes.map((code) => `${titleOf(code)} (\`${code}\`).`).join(' '),
    headers: headersOf(codes),
    content: {
      'application/problem+json': {
        schema: Problem,
        examples: Object.fromEntries(codes.map((code) => [code, { value: exampleOf(code) }])),
      },
    },
  }
}

function headersOf(codes: readonly RefusalCode[]): z.ZodObject {
  const named = codes.map(
    (code) =>
      new Set(code === 'rate-limited' ? ['Retry-After'] : Object.keys(problemOf(new Refusal(code, ''), '').headers)),
  )
  const names = [...new Set(named.flatMap((each) => [...each]))]
  // Where one status has several codes, a header that only some of them bring is not promised.
  const header = (name: string) => (named.every((each) => each.has(name)) ? z.string() : z.string().optional())
  return z.object({
    'X-Request-Id': REQUEST_ID,
    ...RATE_LIMIT,
    ...Object.fromEntries(names.map((name) => [name, header(name)])),
  })
}

function exampleOf(code: RefusalCode): Problem {
  const refusal =
    code === 'invalid-request'
      ? invalidRequest([{ pointer: '/demand/nodes', detail: 'must be a whole number' }])
      : new Refusal(code, `${titleOf(code)}.`)
  return problemOf(refusal, '/v1/allocations').body
}

const pascalCase = (code: string): string =>
  code.replaceAll(/(?:^|-)([a-z])/g, (_match, letter: string) => letter.toUpperCase())
