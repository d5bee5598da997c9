/**
 * `npm start`: the sandbox and the broker as child processes, then the tour. `--no-tour` leaves the tour out; `--tour-only`
 * ends after it, with status 0 only if everything in it came true.
 */
import { setTimeout as pauseFor } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Terminal, terminalOf } from '../broker/cli/screen/terminal.ts'
import { count, duration } from '../broker/cli/screen/words.ts'
import { type Client, createClient } from '../broker/client/client.ts'
import { collect } from '../broker/client/collect.ts'
import { clientCredentials } from '../broker/client/credentials.ts'
import { ProblemError, TokenError, UnreachableError } from '../broker/client/problem-error.ts'
import { ConfigError } from '../broker/config.ts'
import { secretOf } from './sandbox/identity-clients.ts'
import { type Child, ChildError, startChild } from './start-child.ts'
import { portsTaken } from './start-ports.ts'
import { type StartSettings, startSettings } from './start-settings.ts'
import { howToGoOn } from './tour-farewell.ts'
import { runTour } from './tour.ts'

const PORT_PATIENCE_MS = 4_000
const READY_WITHIN_MS = 60_000
/** The broker gives itself 10 s. */
const BROKER_STOPS_WITHIN_MS = 12_000
const SANDBOX_STOPS_WITHIN_MS = 5_000
const COUNTED_AT_MOST = 500

/** Somebody pressed Ctrl-C, or asked us to stop. */
class Stopped extends Error {
  override readonly name = 'Stopped'
}

interface Flags {
  readonly tour: boolean
  readonly stay: boolean
}

/** @returns the exit status */
async function main(args: readonly string[], terminal: Terminal, startedAt: number): Promise<number> {
  const flags = flagsOf(args)
  const settings = startSettings(process.env)
  const taken = await portsTaken(settings.ports, PORT_PATIENCE_MS)
  if (taken.length > 0) {
    terminal.writeError(`${taken.join('\n')}\n`)
    return 1
  }
  const signal = stopSignal()
  const running: Running = { flags, settings, terminal, startedAt, signal, children: [], tour: { cameTrue: true } }
  try {
    await Promise.race([runAll(running), untilAborted(signal)])
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
    terminal.write('Stopping.\n')
  } finally {
    // The broker first: what it still has to say to an operator finds it there.
    for (const child of running.children.toReversed()) await child.stop()
  }
  return running.tour.cameTrue ? 0 : 1
}

function flagsOf(args: readonly string[]): Flags {
  const { values } = parseArgs({
    args: [...args],
    options: { 'no-tour': { type: 'boolean' }, 'tour-only': { type: 'boolean' } },
  })
  const [noTour, tourOnly] = [values['no-tour'] === true, values['tour-only'] === true]
  if (noTour && tourOnly) throw new ConfigError('--no-tour and --tour-only exclude each other')
  return { tour: !noTour, stay: !tourOnly }
}

interface Running {
  readonly flags: Flags
  readonly settings: StartSettings
  readonly terminal: Terminal
  readonly startedAt: number
  readonly signal: AbortSignal
  /** Filled in the order in which they are started. */
  readonly children: Child[]
  /** Whether all of it came true; also if there was none. */
  readonly tour: { cameTrue: boolean }
}

/** Resolves after the tour, if nothing is to stay; rejects when a child dies. */
async function runAll(running: Running): Promise<void> {
  const { flags, settings, terminal, signal } = running
  const sandbox = await started(running, sandboxChild(settings))
  const broker = await started(running, brokerChild(settings))
  const dead = Promise.race([sandbox.died, broker.died]).then((line): never => {
    throw new ChildError(line)
  })
  await Promise.race([dead, afterStart(running)])
  terminal.write(howToGoOn({ ...settings, isRunning: flags.stay }))
  if (flags.stay) await dead
  signal.throwIfAborted()
}

async function started({ signal, children }: Running, options: Parameters<typeof startChild>[0]): Promise<Child> {
  const child = startChild(options)
  children.push(child)
  await child.ready()
  // Whoever stops us by now has taken stock of the children: no other may follow.
  signal.throwIfAborted()
  return child
}

async function afterStart(running: Running): Promise<void> {
  const { flags, settings, terminal, signal, tour } = running
  const client = createClient({ baseUrl: settings.brokerUrl, tokens: platformTokens(settings) })
  terminal.write(await readyText(running, client))
  if (!flags.tour) return
  const { sandboxUrls } = settings
  const pause = (ms: number, until: AbortSignal): Promise<unknown> => pauseFor(ms, undefined, { signal: until })
  tour.cameTrue = await runTour({ client, sandboxUrls, terminal, now: Date.now, pause, signal })
}

const sandboxChild = ({ env, sandboxLog, sandboxUrls }: StartSettings): Parameters<typeof startChild>[0] => ({
  name: 'sandbox',
  program: 'sandbox/main.ts',
  env,
  logFile: sandboxLog,
  readyUrl: `${sandboxUrls.identity}/.well-known/openid-configuration`,
  readyWithinMs: READY_WITHIN_MS,
  stopWithinMs: SANDBOX_STOPS_WITHIN_MS,
})

const brokerChild = ({ env, brokerLog, brokerUrl }: StartSettings): Parameters<typeof startChild>[0] => ({
  name: 'broker',
  program: '../broker/main.ts',
  env,
  logFile: brokerLog,
  readyUrl: `${brokerUrl}/readyz`,
  readyWithinMs: READY_WITHIN_MS,
  stopWithinMs: BROKER_STOPS_WITHIN_MS,
})

const platformTokens = ({ sandboxUrls }: StartSettings): ReturnType<typeof clientCredentials> =>
  clientCredentials({ issuer: sandboxUrls.identity, clientId: 'platform', clientSecret: secretOf('platform') })

async function readyText({ settings, startedAt }: Running, client: Client): Promise<string> {
  const { sandboxUrls, brokerUrl, metricsUrl, brokerLog, sandboxLog, sandboxDir, config } = settings
  const [approvals, allocations] = await Promise.all([
    collect(client.listApprovals(), COUNTED_AT_MOST),
    collect(client.listAllocations(), COUNTED_AT_MOST),
  ])
  const kept =
    approvals.length + allocations.length === 0
      ? 'Nothing is stored yet.'
      : `${atMost(approvals.length)} approvals and ${atMost(allocations.length)} allocations are kept from before.`
  return `${[
    `sandbox  naver ${sandboxUrls.naver}  nhn ${sandboxUrls.nhn}  kakao ${sandboxUrls.kakao}  identity ${sandboxUrls.identity}`,
    `broker   ${brokerUrl}  documentation ${brokerUrl}/docs/  metrics ${metricsUrl}`,
    `data     ${config.DATABASE_URL === undefined ? config.DATA_DIR : 'PostgreSQL'} and ${sandboxDir}  logs ${brokerLog}, ${sandboxLog}`,
    `Ready after ${duration(Date.now() - startedAt)}. ${kept}`,
  ].join('\n')}\n`
}

const atMost = (found: number): string => (found < COUNTED_AT_MOST ? count(found) : `${COUNTED_AT_MOST} or more`)

/** A second Ctrl-C while children are stopping ends us at once; their leash then stops them. */
function stopSignal(): AbortSignal {
  const controller = new AbortController()
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(1)
    controller.abort(new Stopped('stopped'))
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  process.on('SIGHUP', stop)
  return controller.signal
}

/** Rejects with the signal's reason. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }) // ours, see `stopSignal`
  })
}

/** What somebody can do something about, in one line; a bug with its stack. */
function tellFailure(error: unknown): string {
  const isKnown =
    error instanceof ConfigError ||
    error instanceof ChildError ||
    error instanceof ProblemError ||
    error instanceof TokenError ||
    error instanceof UnreachableError ||
    (error instanceof TypeError && 'code' in error)
  if (isKnown) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

if (import.meta.main) {
  const startedAt = Date.now() - Math.round(performance.now())
  const terminal = terminalOf({ stdout: process.stdout, stderr: process.stderr, env: process.env })
  try {
    process.exitCode = await main(process.argv.slice(2), terminal, startedAt)
  } catch (error) {
    terminal.writeError(`${tellFailure(error)}\n`)
    process.exitCode = 1
  }
}
