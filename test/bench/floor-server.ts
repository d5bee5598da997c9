/**
 * The least that each thing can cost: express, the same token check, the body read, one statement; for events one write to
 * each reader, and one signed POST to each endpoint. What the broker does beyond that (schemas, limits, placement, decision,
 * event, idempotency, a log of deliveries) is measured against it. Prints its URL and serves.
 */
import { CompiledQuery } from 'kysely'
import express, { type Response } from 'express'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { createAuthenticator } from '../../broker/http/auth.ts'
import { createPoster } from '../../broker/outbound/post.ts'
import { signatureHeaders } from '../../broker/outbound/signature.ts'
import { openAt } from '../support/database.ts'

type Query = (text: string, values: unknown[]) => Promise<readonly { readonly id: string; readonly body: object }[]>

const { DATABASE_URL = '', DATA_DIR = '', OIDC_ISSUER = '', OIDC_AUDIENCE = '' } = process.env

/** Straight through the driver; the embedded database has none but the broker's own. */
async function connect(): Promise<Query> {
  if (DATABASE_URL !== '') {
    const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 })
    return async (text, values) => (await pool.query<{ id: string; body: object }>(text, values)).rows
  }
  const { queries } = await openAt({ url: null, folder: DATA_DIR })
  return async (text, values) =>
    (await queries.executeQuery<{ id: string; body: object }>(CompiledQuery.raw(text, values))).rows
}

const query = await connect()
await query('create table floor (id bigint generated always as identity primary key, body json not null)', [])

const authenticate = createAuthenticator({
  issuer: OIDC_ISSUER,
  audience: OIDC_AUDIENCE,
  introspection: null,
  allowInsecureLoopback: true,
  now: Date.now,
  onFailure: (error) => void process.stderr.write(`${String(error)}\n`),
})
const readers = new Set<Response>()
const post = createPoster({ allowPrivate: true })

const app = express()
app.set('etag', false)
app.use(express.json())
app.use(async (request, _response, next) => {
  await authenticate(request.headers.authorization)
  next()
})
// oxlint-disable-next-line oxc/no-async-endpoint-handlers -- express 5 hands a rejection to the error handler
app.post('/v1/allocations', async (request, response) => {
  const [row] = await query('insert into floor (body) values ($1) returning id', [JSON.stringify(request.body)])
  response.status(201).json({ id: row?.id, ...(request.body as object) })
})
app.post('/v1/placements/preview', (request, response) => void response.json(request.body))
app.get('/v1/allocations/:id', async (_request, response) => {
  const [row] = await query('select id, body from floor where id = $1', [1])
  response.json({ id: row?.id, ...row?.body })
})
app.get('/v1/allocations', async (_request, response) => {
  response.json({ items: await query('select id, body from floor order by id desc limit 50', []) })
})
app.get('/v1/events', (_request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n')
  readers.add(response)
})
app.put('/v1/approvals/:id', (_request, response) => {
  const event = `id: 1\ndata: ${JSON.stringify({ time: new Date().toISOString(), filling: 'x'.repeat(400) })}\n\n`
  for (const reader of readers) reader.write(event)
  response.json({})
})
// oxlint-disable-next-line oxc/no-async-endpoint-handlers -- express 5 hands a rejection to the error handler
app.post('/floor/webhooks', async (request, response) => {
  const { url, endpoints, events } = request.body as { url: string; endpoints: number; events: number } // by events.bench.ts
  const one = async (): Promise<void> => {
    for (let nth = 0; nth < events; nth += 1) {
      const body = JSON.stringify({ time: new Date().toISOString(), filling: 'x'.repeat(400) })
      const headers = signatureHeaders({ id: `evt_${nth}`, timestampSeconds: 1, body }, ['whsec_c2VjcmV0'])
      await post({ url, headers, body, signal: new AbortController().signal })
    }
  }
  await Promise.all(Array.from({ length: endpoints }, one))
  response.json({})
})
const server = app.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo // it listens on TCP
  process.stdout.write(`${JSON.stringify({ msg: 'the floor is ready', url: `http://127.0.0.1:${port}` })}\n`)
})
