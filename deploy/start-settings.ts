/** What `npm start` runs where, from the environment: the same variables as the broker and the sandbox themselves read. */
import { join } from 'node:path'
import { type Config, readConfig } from '../broker/config.ts'
import { PORT_OFFSET, SANDBOX_DEFAULT_PORT } from './sandbox/settings.ts'
import { type SandboxUrls, urlsAt } from './sandbox/for-broker.ts'
import type { WantedPort } from './start-ports.ts'

type Env = Readonly<Record<string, string | undefined>>

export interface StartSettings {
  readonly config: Config
  /** What the children get. */
  readonly env: Env
  /** Where Node keeps what it compiled: it makes a second start faster by a third. */
  readonly compileCache: string
  readonly sandboxPort: number
  readonly sandboxUrls: SandboxUrls
  readonly brokerUrl: string
  readonly metricsUrl: string
  readonly brokerLog: string
  readonly sandboxLog: string
  readonly sandboxDir: string
  readonly ports: readonly WantedPort[]
}

/** They would make the broker leave the sandbox alone. */
const NOT_FOR_THE_SANDBOX = ['PROVIDERS', 'OIDC_ISSUER', 'OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET']

/** @throws ConfigError */
export function startSettings(given: Env): StartSettings {
  const sandboxPort = given['SANDBOX_PORT'] ?? ''
  const env = {
    SHUTDOWN_DELAY_SECONDS: '0', // nothing stands in front of it that would have to notice
    ...Object.fromEntries(Object.entries(given).filter(([name]) => !NOT_FOR_THE_SANDBOX.includes(name))),
    SANDBOX_PORT: sandboxPort === '' ? String(SANDBOX_DEFAULT_PORT) : sandboxPort,
    SANDBOX_DIR: (given['SANDBOX_DIR'] ?? '') === '' ? '.sandbox' : given['SANDBOX_DIR'],
  }
  const config = readConfig(env)
  const compileCache = given['NODE_COMPILE_CACHE'] ?? join(config.DATA_DIR, 'compile-cache')
  const { HOST, PORT, METRICS_PORT, DATA_DIR, SANDBOX_PORT = SANDBOX_DEFAULT_PORT } = config
  const sandboxDir = String(env.SANDBOX_DIR)
  // Whoever listens everywhere is reached here.
  const host = HOST === '0.0.0.0' || HOST === '::' ? '127.0.0.1' : HOST
  const broker = (what: string, variable: string, port: number): WantedPort => ({ port, host: HOST, what, variable })
  return {
    config,
    env: { ...env, NODE_COMPILE_CACHE: compileCache },
    compileCache,
    sandboxPort: SANDBOX_PORT,
    sandboxUrls: urlsAt(SANDBOX_PORT),
    brokerUrl: `http://${host}:${PORT}`,
    metricsUrl: `http://${host}:${METRICS_PORT}/metrics`,
    brokerLog: join(DATA_DIR, 'broker.log'),
    sandboxLog: join(sandboxDir, 'sandbox.log'),
    sandboxDir,
    ports: [
      broker('the broker’s API', 'PORT', PORT),
      broker('the broker’s metrics', 'METRICS_PORT', METRICS_PORT),
      ...Object.entries(PORT_OFFSET).map(([service, offset]) => ({
        port: SANDBOX_PORT + offset,
        host: '127.0.0.1',
        what: `the sandbox’s ${service}`,
        variable: 'SANDBOX_PORT',
      })),
    ],
  }
}
