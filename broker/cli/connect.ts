/** From the options that all commands share to a client with a token. */
import { type Client, createClient } from '../client/client.ts'
import { type TokenSource, clientCredentials, fixedToken, isOnLoopback } from '../client/credentials.ts'
import { sandboxIssuer, valueOf } from './environment.ts'
import { type Io, UsageError } from './io.ts'
import { duration } from './screen/words.ts'

export interface ConnectOptions {
  readonly url?: string
  readonly token?: string
  readonly issuer?: string
  readonly client?: string
  readonly clientSecret?: string
  readonly scope?: string
  readonly verbose?: boolean
}

const DEFAULT_URL = 'http://127.0.0.1:8080'
/** The sandbox's client with every scope. */
const DEFAULT_CLIENT = 'platform'

export function connect(options: ConnectOptions, io: Io): Client {
  const baseUrl = options.url ?? valueOf(io.env, 'GPU_BROKER_URL') ?? DEFAULT_URL
  if (!URL.canParse(baseUrl)) throw new UsageError(io.t('--url must be a URL, not "{url}"', { url: baseUrl }))
  const say = (line: string): void => (options.verbose === true ? io.terminal.writeError(`${line}\n`) : undefined)
  say(io.t('broker: {url}', { url: baseUrl }))
  return createClient({
    baseUrl,
    tokens: tokensOf(options, io, say),
    pause: io.pause,
    onRetry: ({ attempt, pauseMs, error }) =>
      say(
        io.t('attempt {attempt} failed, next in {pause}: {why}', {
          attempt,
          pause: duration(pauseMs),
          why: error.message,
        }),
      ),
  })
}

/** A token that is given wins; else the issuer is asked for one. */
function tokensOf(options: ConnectOptions, io: Io, say: (line: string) => void): TokenSource {
  const given = options.token ?? valueOf(io.env, 'GPU_BROKER_TOKEN')
  const wantsClient = options.client !== undefined || options.issuer !== undefined
  if (given !== undefined && (options.token !== undefined || !wantsClient)) return fixedToken(given)
  return issuedTokens(options, io, say)
}

/** @throws UsageError when there is no secret for the client */
export function issuedTokens(options: ConnectOptions, io: Io, say: (line: string) => void): TokenSource {
  const { env } = io
  const issuer = options.issuer ?? valueOf(env, 'GPU_BROKER_ISSUER') ?? sandboxIssuer(env)
  const clientId = options.client ?? valueOf(env, 'GPU_BROKER_CLIENT') ?? DEFAULT_CLIENT
  const secret = options.clientSecret ?? valueOf(env, 'GPU_BROKER_CLIENT_SECRET') ?? sandboxSecret(issuer, clientId)
  if (secret === null) {
    const sentence = 'client {client} needs its secret: GPU_BROKER_CLIENT_SECRET, or --client-secret'
    throw new UsageError(io.t(sentence, { client: clientId }))
  }
  say(io.t('tokens: client {client} at {issuer}', { client: clientId, issuer }))
  const scope = options.scope === undefined ? {} : { scope: options.scope }
  return clientCredentials({ issuer, clientId, clientSecret: secret, ...scope })
}

/** The sandbox's secrets are known to all; they are offered to nobody but this machine. */
const sandboxSecret = (issuer: string, clientId: string): string | null =>
  isOnLoopback(issuer) ? `${clientId}-secret` : null
