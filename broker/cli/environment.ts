/**
 * What the command line takes from the environment, for whoever does not want to repeat an option:
 * GPU_BROKER_URL, GPU_BROKER_TOKEN, GPU_BROKER_ISSUER, GPU_BROKER_CLIENT, GPU_BROKER_CLIENT_SECRET, and SANDBOX_PORT,
 * which says where the sandbox's identity provider is.
 */

export type Env = Readonly<Record<string, string | undefined>>

/** Handed down from the bin file to all that need it, so that a test hands in its own. */
export const processEnv = (): Env => process.env // oxlint-disable-line node/no-process-env -- the one place of the command line that reads it

/** An empty variable counts as unset, as in the broker's own configuration. */
export const valueOf = (env: Env, name: string): string | undefined => (env[name] === '' ? undefined : env[name])

const SANDBOX_DEFAULT_PORT = 8090
/** The identity provider is the fourth of the sandbox's ports. */
const IDENTITY_PORT_OFFSET = 3

export const sandboxIssuer = (env: Env): string =>
  `http://127.0.0.1:${Number(valueOf(env, 'SANDBOX_PORT') ?? SANDBOX_DEFAULT_PORT) + IDENTITY_PORT_OFFSET}`
