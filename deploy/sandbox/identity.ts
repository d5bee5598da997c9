/**
 * The sandbox's identity provider: a real OpenID provider (oidc-provider) on loopback with the client-credentials grant,
 * JWT and opaque access tokens, introspection and revocation. `POST /_sandbox/rotate-keys` puts a new signing key first;
 * with `?withdraw=true` the tokens of the older ones no longer verify.
 */
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Provider } from 'oidc-provider'
import type { Adapter, AdapterPayload, ClientMetadata, Configuration } from 'oidc-provider'
import { IDENTITY_CLIENTS, SCOPES, secretOf } from './identity-clients.ts'
import type { IdentityClient } from './identity-clients.ts'
import { openSigningKeys } from './identity-keys.ts'
import type { SigningKeys } from './identity-keys.ts'
import { IDENTITY } from './settings.ts'
import { openStore } from './store.ts'
import type { Store } from './store.ts'

export interface IdentityOptions {
  /** Where keys and opaque tokens live; null keeps them in memory. */
  readonly dir: string | null
  /** 0 takes any free one. */
  readonly port: number
  /** Life of an access token in seconds; default an hour. */
  readonly tokenTtlSeconds?: number
}

export interface RunningIdentity {
  /** The issuer, without a slash at the end. */
  readonly url: string
  readonly port: number
  /** As `POST /_sandbox/rotate-keys`. */
  rotateKeys(options?: { readonly withdraw?: boolean }): void
  close(): Promise<void>
}

const HOST = '127.0.0.1'
const DEFAULT_TOKEN_TTL_SECONDS = 3_600

export async function startIdentity(options: IdentityOptions): Promise<RunningIdentity> {
  const { dir, port: wanted, tokenTtlSeconds = DEFAULT_TOKEN_TTL_SECONDS } = options
  const keys = openSigningKeys(dir === null ? null : join(dir, 'identity-keys.json'))
  const store = openStore(dir === null ? null : join(dir, 'identity.jsonl'))
  // The issuer contains the port, so the server listens first and learns to answer right after.
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(wanted, HOST, resolve)
  })
  const { port } = server.address() as AddressInfo // listening on TCP
  const url = `http://${HOST}:${port}`
  const answering = (): ReturnType<Provider['callback']> => provide({ url, keys, store, tokenTtlSeconds })
  let answer = answering()
  const rotateKeys: RunningIdentity['rotateKeys'] = ({ withdraw = false } = {}) => {
    keys.rotate(withdraw)
    answer = answering()
  }
  server.on('request', (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const target = new URL(incoming.url ?? '/', url)
    if (incoming.method === 'POST' && target.pathname === '/_sandbox/rotate-keys') {
      rotateKeys({ withdraw: target.searchParams.get('withdraw') === 'true' })
      outgoing.writeHead(204).end()
      return
    }
    answer(incoming, outgoing).catch((error: unknown) =>
      console.error('sandbox identity: a request was not answered', error),
    )
  })
  return {
    url,
    port,
    rotateKeys,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
      store.close()
    },
  }
}

interface Provided {
  readonly url: string
  readonly keys: SigningKeys
  readonly store: Store
  readonly tokenTtlSeconds: number
}

function provide({ url, keys, store, tokenTtlSeconds }: Provided): ReturnType<Provider['callback']> {
  const signingKeys = keys.list()
  const provider = new Provider(url, {
    ...tokensFor(signingKeys[0].kid, tokenTtlSeconds),
    adapter: (model) => adapterOf(model, store),
    clients: IDENTITY_CLIENTS.map(registration),
    jwks: { keys: [...signingKeys] },
    scopes: [...SCOPES],
  })
  provider.on('server_error', (_context, error) => console.error('sandbox identity: a request failed', error))
  return provider.callback()
}

function tokensFor(kid: string, tokenTtlSeconds: number): Configuration {
  return {
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    ttl: { ClientCredentials: tokenTtlSeconds },
    extraTokenClaims: (_context, token) => ({ ...clientOf(token.clientId)?.claims }),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      revocation: { enabled: true, allowedPolicy: (_context, client, token) => token.clientId === client.clientId },
      introspection: {
        enabled: true,
        allowedPolicy: (_context, client, token) =>
          clientOf(client.clientId)?.introspects === true || token.clientId === client.clientId,
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => IDENTITY.resource,
        useGrantedResource: () => true,
        getResourceServerInfo(context, resource, { clientId }) {
          const client = clientOf(clientId)
          const scope = client?.scopes.join(' ') ?? ''
          const { params } = context.oidc
          // Whoever names no scope gets all that it may have.
          if (params !== undefined && params['scope'] === undefined) params['scope'] = scope
          return {
            audience: resource === IDENTITY.resource ? IDENTITY.audience : resource,
            scope,
            accessTokenTTL: tokenTtlSeconds,
            accessTokenFormat: client?.tokenFormat ?? 'jwt',
            jwt: { sign: { alg: 'ES256', kid } },
          }
        },
      },
    },
  }
}

const clientOf = (id: string | undefined): IdentityClient | undefined =>
  IDENTITY_CLIENTS.find((client) => client.id === id)

const registration = (client: IdentityClient): ClientMetadata => ({
  client_id: client.id,
  client_secret: secretOf(client.id),
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
  ...(client.scopes.length === 0 ? {} : { scope: client.scopes.join(' ') }),
})

interface StoredToken {
  readonly payload: AdapterPayload
  /** Epoch ms. */
  readonly expiresAt: number
}

/** Above so many stored tokens the expired ones are thrown away before another is kept. */
const PRUNE_FROM = 1_000

/** Keeps what must be looked up later: opaque tokens. JWTs are never stored. */
function adapterOf(model: string, store: Store): Adapter {
  const rows = store.table<StoredToken>(model)
  const find = (id: string): AdapterPayload | undefined => {
    const row = rows.get(id)
    return row !== undefined && row.expiresAt > Date.now() ? row.payload : undefined
  }
  return {
    async upsert(id, payload, expiresInSeconds = DEFAULT_TOKEN_TTL_SECONDS) {
      if (rows.size >= PRUNE_FROM)
        for (const row of rows.values()) if (row.expiresAt <= Date.now()) rows.delete(row.payload.jti ?? '')
      rows.set(id, { payload, expiresAt: Date.now() + expiresInSeconds * 1_000 })
      store.flush()
    },
    find: async (id) => find(id),
    async destroy(id) {
      rows.delete(id)
      store.flush()
    },
    // The remaining lookups belong to grants that no client here has.
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
    consume: async () => undefined,
    revokeByGrantId: async () => undefined,
  }
}
