/** An issuer that signs whatever it is told to: for tokens that a real one would never give out. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type JWK, type JWTPayload, SignJWT, exportJWK, generateKeyPair } from 'jose'

export interface ForgingIssuer {
  readonly url: string
  readonly kid: string
  readonly publicKey: JWK
  /** Of a good token. */
  claims(): JWTPayload
  /** A good token, but for the claims and header members given; an undefined one is left out. */
  sign(
    claims?: Readonly<Record<string, unknown>>,
    header?: { readonly typ?: string; readonly kid?: string },
  ): Promise<string>
  /** Hands its key out under another id from now on. */
  renameKey(kid: string): void
  /** How often its keys were asked for. */
  keyRequests(): number
  /** Closing it twice is closing it once. */
  close(): Promise<void>
}

const KID = 'the-key'

export async function startForgingIssuer(): Promise<ForgingIssuer> {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  let jwk: JWK = { ...(await exportJWK(publicKey)), kid: KID, alg: 'ES256', use: 'sig' }
  let keyRequests = 0
  const server = createServer((request, response) => {
    const { port } = server.address() as AddressInfo // it has received a request
    const url = `http://127.0.0.1:${port}`
    if (request.url === '/jwks') keyRequests += 1
    const body = request.url === '/jwks' ? { keys: [jwk] } : { issuer: url, jwks_uri: `${url}/jwks` }
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // listening on TCP
  const url = `http://127.0.0.1:${port}`
  const claims = (): JWTPayload => ({
    iss: url,
    aud: 'gpu-broker',
    sub: 'someone',
    client_id: 'someone',
    scope: 'catalog:read',
    exp: Math.floor(Date.now() / 1_000) + 300,
  })
  return {
    url,
    kid: KID,
    publicKey: jwk,
    claims,
    sign: (changes = {}, header = {}) =>
      new SignJWT({ ...claims(), ...changes })
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: KID, ...header })
        .sign(privateKey),
    renameKey: (name) => void (jwk = { ...jwk, kid: name }),
    keyRequests: () => keyRequests,
    async close() {
      if (!server.listening) return
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}
