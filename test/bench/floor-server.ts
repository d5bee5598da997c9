/**
 * The least that a create can cost: express, the same token check, the body read, one INSERT. What the broker does beyond
 * that (schemas, limits, placement, decision, event, idempotency) is measured against it. Prints its URL and serves.
 */
import express from 'express'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { createAuthenticator } from '../../broker/http/auth.ts'

const { DATABASE_URL = '', OIDC_ISSUER = '', OIDC_AUDIENCE = '' } = process.env
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 })
await pool.query(
  'create table floor_allocations (id bigint generated always as identity primary key, body json not null)',
)

const authenticate = createAuthenticator({
  issuer: OIDC_ISSUER,
  audience: OIDC_AUDIENCE,
  introspection: null,
  allowInsecureLoopback: true,
  now: Date.now,
  onFailure: (error) => void process.stderr.write(`${String(error)}\n`),
})

const app = express()
app.set('etag', false)
app.use(express.json())
// oxlint-disable-next-line oxc/no-async-endpoint-handlers -- express 5 hands a rejection to the error handler
app.post('/v1/allocations', async (request, response) => {
  await authenticate(request.headers.authorization)
  const { rows } = await pool.query<{ id: string }>('insert into floor_allocations (body) values ($1) returning id', [
    JSON.stringify(request.body),
  ])
  response.status(201).json({ id: rows[0]?.id, ...(request.body as object) })
})
const server = app.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo // it listens on TCP
  process.stdout.write(`${JSON.stringify({ msg: 'the floor is ready', url: `http://127.0.0.1:${port}` })}\n`)
})
