/**
 * The log: one line of JSON for each thing that happened, with one constant sentence and its figures as fields. Every line
 * says which request, trace and allocation it belongs to, where it belongs to one. Secrets are kept out of it by what an
 * error is allowed to say, by the names of fields, and by what a credential looks like in a text.
 */
import pino, { type DestinationStream, type Logger } from 'pino'
import type { LogLevel } from '../shared/operation.ts'
import { currentLogFields } from './tracing.ts'

type Level = LogLevel['level']

const HIDDEN = '[hidden]'
/** Fields that never say what they hold, at the top and one or two levels down. */
const SECRET_FIELDS = [
  'authorization',
  'cookie',
  'secret',
  'clientSecret',
  'password',
  'token',
  'accessToken',
  'apiKey',
]
const REDACTED = SECRET_FIELDS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`])

/** @param destination default: standard output */
export const createLogger = (level: Level, destination?: DestinationStream): Logger => {
  const options = {
    level,
    mixin: currentLogFields,
    redact: { paths: REDACTED, censor: HIDDEN },
    serializers: { err: plainError },
    hooks: { streamWrite: withoutCredentials },
  }
  return destination === undefined ? pino(options) : pino(options, destination)
}

const CREDENTIALS = /\b(Bearer|Basic|DPoP) [\w.~+/=-]{8,}|(:\/\/[^\s:@/"]*):[^\s@/"]+@/gi

/** Whatever text it came in with, such as an error's message. */
const withoutCredentials = (line: string): string =>
  line.replace(CREDENTIALS, (_all, scheme?: string, user?: string) =>
    scheme === undefined ? `${user}:${HIDDEN}@` : `${scheme} ${HIDDEN}`,
  )

const MOST_CAUSES = 4

/** What an error may say: libraries hang requests with their headers, and whole bodies, on theirs. */
function plainError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return error
  const { name, message, stack, cause } = error
  const { code, kind, effect } = error as Error & Readonly<Partial<Record<'code' | 'kind' | 'effect', unknown>>>
  return {
    type: name,
    message,
    stack,
    ...(code !== undefined && { code }),
    ...(kind !== undefined && { kind, effect }),
    ...(cause !== undefined && depth < MOST_CAUSES && { cause: plainError(cause, depth + 1) }),
  }
}

/** For this process, until it is set again or ends. Told at the level before, and so also where the new one says less. */
export function setLogLevel(logger: Logger, level: Level): void {
  logger.info({ from: logger.level, to: level }, 'the log level was changed')
  logger.level = level
}

/** Details from now on; asked again, what is configured. Where that is debug itself, the other is info. */
export function toggleDebug(logger: Logger, configured: Level): void {
  const other = configured === 'debug' ? 'info' : configured
  setLogLevel(logger, logger.level === 'debug' ? other : 'debug')
}
