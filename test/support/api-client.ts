/** Calls the API as one of the sandbox's clients, with a real token; every answer is held to the wire contract. */
import type { z } from 'zod'
import { Problem } from '../../shared/problem.ts'
import type { RefusalCode } from '../../shared/refusal.ts'
import { secretOf } from '../../deploy/sandbox/identity-clients.ts'
import { assertOnContract } from './wire-contract.ts'

export type HeaderFields = Readonly<Record<string, string>>

export interface Got {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body, once the status is the one expected; fails the test otherwise. */
  as<S extends z.ZodType>(status: number, schema: S): z.infer<S>
  /** The problem document, once its code is the one expected; fails the test otherwise. */
  problem(code: RefusalCode): Problem
  /** With quotes, as it came. Fails the test when there is none. */
  etag(): string
}

export interface ApiClient {
  get(path: string, headers?: HeaderFields): Promise<Got>
  post(path: string, body?: unknown, headers?: HeaderFields): Promise<Got>
  put(path: string, body: unknown, headers?: HeaderFields): Promise<Got>
  /** A request as it is: for bodies and headers that no sane caller would send. */
  send(method: string, path: string, init?: { readonly headers?: HeaderFields; readonly body?: string }): Promise<Got>
}

export interface ApiClientOptions {
  /** Asked before each request: a broker that was started again has another port. */
  readonly url: () => string
  /** The `Authorization` header, or whoever has it; null sends none. */
  readonly authorization: string | null | (() => Promise<string>)
  /** How long one request may take; default as long as it likes. */
  readonly timeoutMs?: number
}

export function createApiClient({ url, authorization, timeoutMs }: ApiClientOptions): ApiClient {
  const own = async (): Promise<HeaderFields> => {
    if (authorization === null) return {}
    return { authorization: typeof authorization === 'string' ? authorization : await authorization() }
  }
  const send: ApiClient['send'] = async (method, path, { headers = {}, body } = {}) => {
    const answer = await fetch(`${url()}${path}`, {
      method,
      headers: { ...(await own()), ...headers },
      ...(body === undefined ? {} : { body }),
      ...(timeoutMs === undefined ? {} : { signal: AbortSignal.timeout(timeoutMs) }),
    })
    const got = { status: answer.status, headers: answer.headers, text: await answer.text() }
    assertOnContract({ method, path, ...got })
    return gotFrom(got)
  }
  const json = (method: string, path: string, body: unknown, headers: HeaderFields): Promise<Got> =>
    body === undefined
      ? send(method, path, { headers })
      : send(method, path, {
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify(body),
        })
  return {
    send,
    get: (path, headers = {}) => send('GET', path, { headers }),
    post: (path, body, headers = {}) => json('POST', path, body, headers),
    put: (path, body, headers = {}) => json('PUT', path, body, headers),
  }
}

function gotFrom(got: { readonly status: number; readonly headers: Headers; readonly text: string }): Got {
  const expectStatus = (expected: number): void => {
    if (got.status !== expected) throw new Error(`the answer is ${got.status}, not ${expected}: ${got.text}`)
  }
  return {
    ...got,
    as(status, schema) {
      expectStatus(status)
      return schema.parse(JSON.parse(got.text))
    },
    problem(code) {
      const problem = got.status >= 400 ? Problem.parse(JSON.parse(got.text)) : null
      if (problem?.code !== code) throw new Error(`the answer is ${got.status}, not ${code}: ${got.text}`)
      return problem
    },
    etag() {
      const etag = got.headers.get('etag')
      if (etag === null) throw new Error('the answer has no ETag')
      return etag
    },
  }
}

/** A token of the sandbox's identity provider, by the client-credentials grant. */
export async function tokenFor(identityUrl: string, clientId: string): Promise<string> {
  const metadata = await fetch(`${identityUrl}/.well-known/openid-configuration`)
  const { token_endpoint: endpoint } = (await metadata.json()) as { token_endpoint: string } // the discovery document has one
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${secretOf(clientId)}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  })
  if (!answer.ok) throw new Error(`${clientId} gets no token: ${answer.status} ${await answer.text()}`)
  const { access_token: token } = (await answer.json()) as { access_token: string } // RFC 6749, section 5.1
  return token
}

const PAUSE_MS = 15
/** Many times what anything here takes: a machine that is slow, or busy with something else, is waited for. */
const PATIENCE_MS = 40_000

/** Reads until it is as wanted; fails the test, showing what was read last, when that takes too long. */
export async function until<T>(read: () => Promise<T>, wanted: (value: T) => boolean): Promise<T> {
  const giveUpAt = performance.now() + PATIENCE_MS
  for (;;) {
    const value = await read()
    if (wanted(value)) return value
    if (performance.now() > giveUpAt) throw new Error(`it never came true: ${JSON.stringify(value)?.slice(0, 2_000)}`)
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}
