/** The protocol's page, OpenAPI 3.1, made of the schemas that the adapter reads and writes by. */
import { z } from 'zod'
import { type ZodOpenApiOperationObject, createDocument } from 'zod-openapi'
import {
  OPERATION_ID_HEADER,
  TIMEOUT_HEADER,
  WireDeletion,
  WireDescription,
  WireFreeCapacity,
  WireGroup,
  WireJoin,
  WireLeave,
  WireLeftovers,
  WireNodes,
  WireOtherPage,
  WirePage,
  WireProblem,
  WireSearch,
  WireSettled,
  WireSweep,
} from './wire.ts'

export const remoteProviderDocument = (): ReturnType<typeof createDocument> =>
  createDocument(
    {
      openapi: '3.1.0',
      info: {
        title: 'GPU provider',
        version: '1.0.0',
        description: DESCRIPTION,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: 'https://gpu.operator.example', description: 'The operator’s server.' }],
      security: [{ oauth2: [] }],
      paths: PATHS,
      components: {
        securitySchemes: {
          oauth2: {
            type: 'oauth2',
            description: 'A token by the client-credentials grant, with id and secret by HTTP Basic.',
            flows: { clientCredentials: { tokenUrl: 'https://identity.operator.example/token', scopes: {} } },
          },
        },
      },
    },
    {
      override({ jsonSchema }) {
        if (jsonSchema.format === 'date-time') delete jsonSchema.pattern // the format says it
        if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties // they are ignored
        // These schemas are read by the broker: what has a default there may be left out here.
        const { properties, required } = jsonSchema
        if (required !== undefined) jsonSchema.required = required.filter((name) => !hasDefault(properties?.[name]))
        if (jsonSchema.type === 'integer' && jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
      },
    },
  )

const hasDefault = (schema: unknown): boolean => typeof schema === 'object' && schema !== null && 'default' in schema

const DESCRIPTION = `The provider contract, version 1, as a protocol: what an operator's server answers so that the
broker can use it with nothing but configuration. Each operation is one call of the contract, and says what it means to
be asked twice. Servers ignore members that they do not know, and the broker ignores theirs. Times are RFC 3339.

Every error is a problem document with a \`kind\` and an \`effect\`; the broker goes by these, never by the text. An answer
without them (from a gateway, say) is read by its status: 401 and 403 \`unauthenticated\`, 404 \`not-found\`, 409
\`busy\`, 429 \`throttled\`, 408 and 5xx \`unreachable\`, any other 4xx \`refused\`, and else \`malformed\`; then
nothing was done after a 4xx other than 408, and after anything else something may have been.

An answer 401 makes the broker ask for a new token and send the same request once more. Calls carry
\`traceparent\` (W3C) where the broker traces.`

const HEADERS = z.object({
  [OPERATION_ID_HEADER]: z.string().meta({ description: 'Names the attempt, for logs; not an idempotency key.' }),
  [TIMEOUT_HEADER]: z.string().regex(/^\d+$/).meta({
    description: 'For how many ms the broker still waits for the answer. It hangs up then.',
  }),
})

const ERROR = {
  description: 'It was not done, or perhaps not: `kind` and `effect` say what.',
  headers: z.object({
    'Retry-After': z.string().optional().meta({ description: 'Seconds or a date, with 429 and 503.' }),
  }),
  content: { 'application/problem+json': { schema: WireProblem } },
}

const json = (schema: z.ZodType) => ({ content: { 'application/json': { schema } } })

interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly description: string
  readonly answer: z.ZodType
  readonly body?: z.ZodType
  readonly path?: z.ZodObject
  readonly query?: z.ZodObject
}

const operation = ({ answer, body, path, query, ...rest }: Operation): ZodOpenApiOperationObject => ({
  ...rest,
  requestParams: { header: HEADERS, ...(path && { path }), ...(query && { query }) },
  ...(body && { requestBody: { required: true, ...json(body) } }),
  responses: { 200: { description: 'Understood.', ...json(answer) }, '4XX': ERROR, '5XX': ERROR },
})

const NOTHING = z.object({}).meta({ id: 'Nothing', description: 'Its members do not matter.' })

const PATHS = {
  '/v1/ping': {
    get: operation({
      operationId: 'ping',
      summary: 'Whether you answer',
      description: 'A cheap read that proves the token.',
      answer: NOTHING,
    }),
  },
  '/v1/description': {
    get: operation({
      operationId: 'describe',
      summary: 'What you serve',
      description: 'Your clusters, their images and networks, and your capabilities. Changes nothing.',
      answer: WireDescription,
    }),
  },
  '/v1/groups/{name}': {
    put: operation({
      operationId: 'createNodes',
      summary: 'Make a group of nodes',
      description: `Answer once you have accepted it, usually minutes before the nodes are ready, with what you know of them
(perhaps nothing). The same name again makes only members that are missing, whatever else the body says; or nothing at all.
Refuse with \`out-of-capacity\`, \`quota-exceeded\` or \`refused\`; effect \`none\` only if none of the group was made.`,
      path: z.object({ name: z.string().meta({ description: 'The broker’s, at most 63 of `[a-z0-9-]`.' }) }),
      body: WireGroup,
      answer: WireNodes,
    }),
  },
  '/v1/nodes': {
    get: operation({
      operationId: 'listNodes',
      summary: 'What exists',
      description: `One page, each node once. A node is missing from all pages only if it does not exist, or was made less than
\`visibilityDelayMs\` ago. Nodes that stand while the pages are read must not fall between two of them.`,
      query: z.object({
        installationId: z.string().meta({ description: 'Only nodes that carry this installation.' }),
        allocationId: z.string().optional().meta({ description: 'And only this allocation.' }),
        limit: z.string().regex(/^\d+$/).meta({ description: 'Most nodes in the page, 1 to 1,000.' }),
        cursor: z.string().optional().meta({ description: 'The `nextCursor` of the page before.' }),
      }),
      answer: WirePage,
    }),
  },
  '/v1/nodes/others': {
    get: operation({
      operationId: 'listOthers',
      summary: 'What others made in your clusters',
      description: `One page of the nodes in your clusters that do not carry this installation, whoever made them, each once. The broker
never touches them: it counts them as out of service, so that nobody is promised their place. Only where \`listsOthers\`.`,
      query: z.object({
        installationId: z.string().meta({ description: 'All nodes but those that carry this installation.' }),
        limit: z.string().regex(/^\d+$/).meta({ description: 'Most nodes in the page, 1 to 1,000.' }),
        cursor: z.string().optional().meta({ description: 'The `nextCursor` of the page before.' }),
      }),
      answer: WireOtherPage,
    }),
  },
  '/v1/nodes/find': {
    post: operation({
      operationId: 'findNodes',
      summary: 'Which of these exist',
      description: `Nodes that the broker took over while they were in use, under whatever name and tag they have. Those that do not
exist are left out. Changes nothing. Only asked of you if nodes of yours were taken over.`,
      body: WireSearch,
      answer: WireNodes,
    }),
  },
  '/v1/nodes/delete': {
    post: operation({
      operationId: 'deleteNodes',
      summary: 'Let nodes go',
      description: `Accepted, already gone and never heard of are all success; the proof is a later list without them. A node that
cannot go yet is \`busy\`, after all others were taken as far as they go.`,
      body: WireDeletion,
      answer: NOTHING,
    }),
  },
  '/v1/fabric/join': {
    post: operation({
      operationId: 'joinFabric',
      summary: 'Make nodes one interconnect group',
      description: 'Exactly these nodes, however often it is asked. Only where `joinsFabric`.',
      body: WireJoin,
      answer: WireSettled,
    }),
  },
  '/v1/fabric/leave': {
    post: operation({
      operationId: 'leaveFabric',
      summary: 'Dissolve an allocation’s interconnect group',
      description: 'None there is success. Only where `joinsFabric`.',
      body: WireLeave,
      answer: WireSettled,
    }),
  },
  '/v1/leftovers/sweep': {
    post: operation({
      operationId: 'sweepLeftovers',
      summary: 'Remove what is left beside nodes',
      description: `What you made for this installation beside nodes and is no longer needed: all that belongs to the allocations
named, and of others what no node has a use for. Never a node, and nothing of another installation. Answer what you found.`,
      body: WireSweep,
      answer: WireLeftovers,
    }),
  },
  '/v1/clusters/{clusterId}/free-capacity': {
    get: operation({
      operationId: 'freeCapacity',
      summary: 'Free nodes in a cluster',
      description: 'Null where you cannot tell. Only where `reportsFreeCapacity`.',
      path: z.object({ clusterId: z.string() }),
      answer: WireFreeCapacity,
    }),
  },
}
