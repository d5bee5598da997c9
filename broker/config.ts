/**
 * The configuration: the environment, read once and checked whole. Nobody else reads it. A bad value stops the start
 * with one line that names the member and what it should be.
 */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { LOG_LEVELS } from '../shared/operation.ts'
import { SafeUrl } from '../shared/url.ts'
import { resolveSecrets } from './resolve-secrets.ts'

/** One line for whoever starts the broker. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

const Port = z.coerce.number('must be a port number, 0 to 65535').int().min(0).max(65_535)

const Days = z.coerce.number('must be a number of days above 0, at most 36500').positive().max(36_500)

const Environment = z.object({
  /** Where the API listens. 0 takes any free port. Default 8080. */
  PORT: Port.default(8080),
  /** Where `/metrics` listens. 0 takes any free port. Default 9464. */
  METRICS_PORT: Port.default(9464),
  /** The address that both listen on. Default 127.0.0.1; images and charts set 0.0.0.0. */
  HOST: z.string().min(1).default('127.0.0.1'),
  /** PostgreSQL, any number of replicas. Unset: PGlite in DATA_DIR, one process. */
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must be a postgres:// URL')
    .optional(),
  /** The folder of the embedded database. Default .data. */
  DATA_DIR: z.string().min(1).default('.data'),
  /** The inventory of clusters. Default deploy/inventory.json. */
  INVENTORY: z.string().min(1).optional(),
  /** A JSON file: the list of providers, their credentials by `env:NAME` or `file:/path`. */
  PROVIDERS: z.string().min(1).optional(),
  /** The issuer of the callers' tokens. */
  OIDC_ISSUER: SafeUrl.optional(),
  /** What a token's `aud` must contain. Default gpu-broker. */
  OIDC_AUDIENCE: z.string().min(1).default('gpu-broker'),
  /** The broker's own client at the issuer, for introspection. Unset: opaque tokens are not taken. */
  OIDC_CLIENT_ID: z.string().min(1).optional(),
  OIDC_CLIENT_SECRET: z.string().min(1).optional(),
  /**
   * How long after an allocation's end an operator may go on listing its nodes before they are quarantined, in minutes; at
   * most the cluster's turnover, after which somebody else may be due there. Default 30.
   */
  RELEASE_CONFIRM_MINUTES: z.coerce.number('must be a number of minutes above 0').positive().max(10_080).default(30),
  /**
   * How long a provider may leave calls unanswered before allocations that are being built there are placed again, in
   * minutes. Default 15.
   */
  PROVIDER_DOWN_MINUTES: z.coerce.number('must be a number of minutes above 0').positive().max(10_080).default(15),
  /** Requests per second and client, counted by each replica; a burst is twice that. Default 200. */
  RATE_LIMIT_PER_SECOND: z.coerce.number('must be a whole number, 1 to 100000').int().min(1).max(100_000).default(200),
  /**
   * The most requests that are answered at a time, half of them reads; fewer while answers are slow. More are turned away
   * with 503. Default 256.
   */
  MAX_IN_FLIGHT: z.coerce.number('must be a whole number, 2 to 100000').int().min(2).max(100_000).default(256),
  /**
   * How long it goes on answering after SIGTERM, with `/readyz` saying that it is leaving, in seconds: longer than the load
   * balancer takes to notice. Default 3.
   */
  SHUTDOWN_DELAY_SECONDS: z.coerce.number('must be seconds, 0 to 300').min(0).max(300).default(3),
  /** How long before its nodes are taken an idle-use grant is told, in minutes and parts of them. Default 30. */
  IDLE_NOTICE_MINUTES: z.coerce
    .number('must be minutes, 0 to 1440')
    .min(0)
    .max(24 * 60)
    .default(30),
  /**
   * The most of one architecture that one organisation may hold at an instant, in percent of what there is then; idle-use
   * is not counted. The same on every replica. Unset: no limit.
   */
  MAX_SHARE_PER_ORGANIZATION: z.coerce.number('must be a whole percentage, 1 to 100').int().min(1).max(100).optional(),
  /**
   * How often an allocation that stands is compared with its operator's list, in seconds: so late is a failed node seen.
   * Default 60.
   */
  NODE_HEALTH_SECONDS: z.coerce.number('must be a number of seconds above 0').positive().max(3_600).default(60),
  /** How long events can be read, in days. Default 400. */
  RETENTION_EVENTS_DAYS: Days.default(400),
  /** How long the audit trail is kept, in days; what is left of it still shows whether it is whole. Default 1826: five years. */
  RETENTION_AUDIT_DAYS: Days.default(1_826),
  /** How long an idempotency key is known, in hours, at least 24. Default 48. */
  RETENTION_IDEMPOTENCY_HOURS: z.coerce.number('must be hours, 24 to 8760').min(24).max(8_760).default(48),
  /** How long deliveries to webhooks that have come to an end are shown, in days. Default 30. */
  RETENTION_DELIVERIES_DAYS: Days.default(30),
  /** Default info. */
  LOG_LEVEL: z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`).default('info'),
  /** How often each provider's whole list is compared with the store. Default 300. */
  SWEEP_INTERVAL_SECONDS: z.coerce.number('must be 1 to 86400 seconds').int().min(1).max(86_400).default(300),
  /** Nodes that sweeps delete at one provider within an hour; more of them wait for a person. Default 8. */
  SWEEP_MAX_DELETES_PER_HOUR: z.coerce.number('must be 0 to 10000 nodes').int().min(0).max(10_000).default(8),
  /** Whether events may be sent to http URLs and to addresses that are not public: for trying things out. Default false. */
  WEBHOOK_ALLOW_PRIVATE: z.enum(['true', 'false'], 'must be true or false').default('false'),
  /** With PROVIDERS and OIDC_ISSUER unset: the sandbox whose first port this is. */
  SANDBOX_PORT: Port.optional(),
})

export type Config = Readonly<z.infer<typeof Environment>>
type Env = Readonly<Record<string, string | undefined>>

/** @throws ConfigError naming the member and what it should be */
export function readConfig(env: Env = process.env): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const parsed = Environment.safeParse(given)
  if (!parsed.success) throw new ConfigError(oneLine('', parsed.error))
  const config = parsed.data
  if ((config.OIDC_CLIENT_ID === undefined) !== (config.OIDC_CLIENT_SECRET === undefined)) {
    throw new ConfigError('OIDC_CLIENT_ID and OIDC_CLIENT_SECRET must be set together')
  }
  const own = config.PROVIDERS !== undefined && config.OIDC_ISSUER !== undefined
  if (
    own ||
    (config.PROVIDERS === undefined && config.OIDC_ISSUER === undefined && config.SANDBOX_PORT !== undefined)
  ) {
    return config
  }
  throw new ConfigError(
    'PROVIDERS and OIDC_ISSUER must both be set (or neither, with SANDBOX_PORT set, for the sandbox)',
  )
}

export type StoreConfig = Pick<Config, 'DATABASE_URL' | 'DATA_DIR'>

/** Where the store is, for what needs nothing else. @throws ConfigError */
export function readStoreConfig(env: Env = process.env): StoreConfig {
  const { DATABASE_URL, DATA_DIR } = env
  const given = Object.fromEntries(
    Object.entries({ DATABASE_URL, DATA_DIR }).filter(([, value]) => (value ?? '') !== ''),
  )
  const parsed = Environment.pick({ DATABASE_URL: true, DATA_DIR: true }).safeParse(given)
  if (!parsed.success) throw new ConfigError(oneLine('', parsed.error))
  return parsed.data
}

/** `PORT: must be …; HOST: …` */
export const oneLine = (prefix: string, error: z.ZodError): string =>
  error.issues
    .map((issue) => `${[prefix, ...issue.path].filter((part) => part !== '').join('.')}: ${issue.message}`)
    .join('; ')

const SECRETS: ReadonlySet<string> = new Set(['OIDC_CLIENT_SECRET'])

/** Every member with its value, secrets masked; a database URL keeps all but its password. */
export function describeConfig(config: Config): readonly { readonly name: string; readonly value: string }[] {
  return Object.keys(Environment.shape).map((name) => {
    const value = config[name as keyof Config]
    if (value === undefined) return { name, value: '(unset)' }
    if (SECRETS.has(name)) return { name, value: '***' }
    return { name, value: name === 'DATABASE_URL' ? withoutPassword(String(value)) : String(value) }
  })
}

function withoutPassword(text: string): string {
  const url = URL.parse(text)
  if (url === null) return '***'
  if (url.password !== '') url.password = '***'
  return url.href
}

/** @throws ConfigError when the file is not there or is not JSON */
export function readJsonFile(member: string, path: string): unknown {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigError(`${member}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`)
  }
  try {
    return JSON.parse(text)
  } catch {
    throw new ConfigError(`${member}: ${path} is not JSON`)
  }
}

/** The providers' file with `env:NAME` and `file:/path` resolved, wherever a text begins with one of them. */
export function readProviders(path: string, env: Env = process.env): readonly unknown[] {
  const list = readJsonFile('PROVIDERS', path)
  if (!Array.isArray(list)) throw new ConfigError(`PROVIDERS: ${path} must hold a list of providers`)
  const fail = (sentence: string): ConfigError => new ConfigError(`PROVIDERS: ${sentence}`)
  return list.map((entry) => resolveSecrets(entry, { env, fail }))
}
