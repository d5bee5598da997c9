/** The OpenAPI 3.1 document, made of the same declarations that the routes answer by. */
import { z } from 'zod'
import {
  type ZodOpenApiObject,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponsesObject,
  createDocument,
} from 'zod-openapi'
import { SCOPES, type Scope } from '../app/command.ts'
import { EVENT_STREAM, beginning, frame } from './event-stream.ts'
import { event } from './examples.ts'
import { SUCCESS_STATUS, type Success } from './problem.ts'
import { RATE_LIMIT, REQUEST_ID, problemResponses } from './openapi-problems.ts'
import type { Route } from './route.ts'
import { CSV } from './send.ts'
import { ROUTES } from './routes/all.ts'

export interface DocumentOptions {
  /** Default: a placeholder, because each installation has its own issuer. */
  readonly tokenUrl?: string
}

/** Of the API, as its callers see it. */
export const CONTRACT_VERSION = '1.0.0'

type Document = ReturnType<typeof createDocument>

export function openApiDocument({ tokenUrl = PLACEHOLDER_TOKEN_URL }: DocumentOptions = {}): Document {
  const document: ZodOpenApiObject = {
    openapi: '3.1.0',
    info: {
      title: 'GPU broker',
      version: CONTRACT_VERSION,
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'The installation that serves this document.' }],
    tags: TAGS,
    paths: pathsOf(ROUTES),
    components: { securitySchemes: securitySchemes(tokenUrl) },
  }
  return createDocument(document, {
    override({ jsonSchema }) {
      // The format says it; zod's pattern for it is 300 characters of calendar.
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern
      // What many languages' expressions know of Unicode ends before its categories.
      if (jsonSchema.pattern !== undefined) {
        jsonSchema.pattern = jsonSchema.pattern.replaceAll(String.raw`\P{Cc}`, NO_CONTROL_CHARACTER)
      }
    },
  })
}

const NO_CONTROL_CHARACTER = String.raw`[^\u0000-\u001f\u007f-\u009f]`

const PLACEHOLDER_TOKEN_URL = 'https://identity.invalid/token'

const DESCRIPTION = `One API for the GPUs of several operators: approvals, allocations, the waitlist, and why each
decision was made. Times are RFC 3339 in UTC and intervals half-open. Unknown members are refused. Errors are
problem documents (RFC 9457) whose \`type\` is a page under \`/problems/\`. Every response carries \`x-request-id\`.`

const TAGS = [
  { name: 'Catalogue', description: 'Operators, clusters, what is free when, and where a request could be placed.' },
  { name: 'Approvals', description: 'Who may have how much, until when.' },
  { name: 'Allocations', description: 'Nodes for a period under an approval, and those that wait.' },
  { name: 'Proof', description: 'All that a decision followed from, so that anybody can decide it again.' },
  { name: 'Events', description: 'What happened, in one gap-free order: listed, streamed, or sent to an endpoint.' },
  { name: 'Usage', description: 'Hours reserved and worked, and months that are settled.' },
  { name: 'Audit', description: 'Who asked for what change, in a chain that shows whether it is whole.' },
  { name: 'Operations', description: 'Switches for operators’ staff: drains and suspensions.' },
]

const SCOPE_TEXTS: Readonly<Record<Scope, string>> = {
  'catalog:read': 'Providers, clusters, availability, drains, placement preview, reconciliation findings',
  'approvals:write': 'Register, change and revoke approvals',
  'allocations:read': 'Allocations with their nodes and decisions, approvals, waitlist, events',
  'allocations:write': 'Create, extend, shrink and release allocations',
  'operations:write': 'Drains, suspend and resume, freeze, retry, inventory reload, log level, closing a month',
  'usage:read': 'Usage and settlement',
  'audit:read': 'All decisions and the audit trail',
  'webhooks:write': 'Webhook endpoints and their deliveries',
}

const securitySchemes = (tokenUrl: string) => ({
  oauth2: {
    type: 'oauth2' as const,
    description: 'Access tokens of the installation’s issuer, by the client-credentials grant.',
    flows: {
      clientCredentials: { tokenUrl, scopes: Object.fromEntries(SCOPES.map((scope) => [scope, SCOPE_TEXTS[scope]])) },
    },
  },
  bearer: { type: 'http' as const, scheme: 'bearer', description: 'An access token: a JWT, or an opaque one.' },
})

function pathsOf(routes: readonly Route[]): ZodOpenApiPathsObject {
  const paths = Map.groupBy(routes, (route) => route.path)
  return Object.fromEntries(
    [...paths].map(([path, methods]) => [
      path,
      Object.fromEntries(methods.map((route) => [route.method, operationOf(route)])),
    ]),
  )
}

function operationOf(route: Route): ZodOpenApiOperationObject {
  const { operationId, summary, description, tag, scope, body } = route
  return {
    operationId,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    security: [{ oauth2: [scope] }, { bearer: [] }],
    requestParams: {
      ...(hasMembers(route.params) ? { path: route.params } : {}),
      ...(hasMembers(route.query) ? { query: route.query } : {}),
      header: z.object(requestHeaders(route)),
    },
    ...(body === null
      ? {}
      : {
          requestBody: {
            required: body.required,
            content: { 'application/json': { schema: body.schema, example: body.example } },
          },
        }),
    responses: { ...successResponses(route), ...problemResponses(route) },
  }
}

const hasMembers = (schema: z.ZodObject): boolean => Object.keys(schema.shape).length > 0

const isRead = (route: Route): boolean => route.method === 'get'

function requestHeaders(route: Route): Record<string, z.ZodType> {
  const headers: Record<string, z.ZodType> = { 'X-Request-Id': REQUEST_ID_SENT }
  if (route.takesIdempotencyKey) headers['Idempotency-Key'] = IDEMPOTENCY_KEY.optional()
  if (!isRead(route)) headers['If-Match'] = (route.takesIfMatch ? IF_MATCH : IF_MATCH_NONE).optional()
  if (route.stream !== undefined) headers['Last-Event-ID'] = LAST_EVENT_ID.optional()
  if (isRead(route) && route.hasEtag) headers['If-None-Match'] = IF_NONE_MATCH.optional()
  if (route.method === 'put' && route.takesIfMatch) headers['If-None-Match'] = IF_ABSENT.optional()
  return headers
}

const REQUEST_ID_SENT = z
  .string()
  .optional()
  .meta({
    description: 'The caller’s own id of this request, 1 to 128 of `[A-Za-z0-9._-]`; another is replaced.',
    param: { id: 'RequestId' },
  })
const IDEMPOTENCY_KEY = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[!-~]+$/)
  .meta({
    description: 'Visible ASCII. The same key with the same body replays the first answer for at least 24 h.',
  })
const IF_MATCH = z
  .string()
  .regex(/^(\*|(W\/)?"[!#-+\--~]*"( *, *(W\/)?"[!#-+\--~]*")*)$/)
  .meta({ description: 'The ETag that the caller saw, or `*`; another version gives 412.' })
const IF_MATCH_NONE = z
  .string()
  .regex(/^\*$/)
  .meta({ description: 'Best left out: nothing here has a version. `*` holds; an ETag gives 412, without an effect.' })
const IF_ABSENT = z
  .string()
  .regex(/^\*$/)
  .meta({ description: '`*`: replace nothing; what is there already gives 412.' })
const IF_NONE_MATCH = z.string().meta({ description: 'The ETag that the caller has; the same version gives 304.' })
const LAST_EVENT_ID = z.string().meta({
  description:
    'Of a stream that is resumed: the `id` of the event seen last. It wins over `after`; beyond the last event it is refused as that is.',
})
const STREAM_EXAMPLE = beginning(event.sequence - 1) + frame({ ...event, json: JSON.stringify(event) })
const STREAM = z.string().meta({ description: 'Server-sent events, until the reader goes.' })
const TABLE = z.string().meta({ description: 'RFC 4180; the first line names the columns.' })
const ETAG = z.string().meta({ description: 'Strong: the version of what a caller can change.', example: '"3"' })
const LOCATION = z.string().meta({ description: 'Path of what was created.' })
const REPLAYED = z.literal('true').optional().meta({ description: 'This is the first answer to this key, once more.' })

function successResponses(route: Route): ZodOpenApiResponsesObject {
  const responses: ZodOpenApiResponsesObject = {}
  for (const [success, described] of Object.entries(route.successes)) {
    responses[statusKey(success as Success)] = {
      description: described.description,
      headers: z.object(responseHeaders(route, success as Success)),
      ...(success === 'no-content'
        ? {}
        : {
            content: {
              'application/json': { schema: described.schema, example: described.example },
              ...(route.stream === undefined ? {} : { [EVENT_STREAM]: { schema: STREAM, example: STREAM_EXAMPLE } }),
              ...(route.csv === undefined ? {} : { [CSV]: { schema: TABLE, example: route.csv(described.example) } }),
            },
          }),
    }
  }
  if (isRead(route) && route.hasEtag) {
    responses[statusKey('not-modified')] = {
      description: 'The caller has this version already.',
      headers: z.object({ 'X-Request-Id': REQUEST_ID, ...RATE_LIMIT, ETag: ETAG }),
    }
  }
  return responses
}

const statusKey = (success: Success): `${2 | 3}${string}` => `${SUCCESS_STATUS[success]}` as `2${string}`

function responseHeaders(route: Route, success: Success): Record<string, z.ZodType> {
  const headers: Record<string, z.ZodType> = { 'X-Request-Id': REQUEST_ID, ...RATE_LIMIT }
  if (route.hasEtag) headers['ETag'] = ETAG
  if (success === 'created') headers['Location'] = LOCATION
  if (route.takesIdempotencyKey) headers['Idempotent-Replayed'] = REPLAYED
  return headers
}
