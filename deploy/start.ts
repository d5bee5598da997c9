/**
 * `npm start`: the sandbox and the broker as child processes, then the tour. `--no-tour` leaves the tour out; `--tour-only`
 * ends after it, with status 0 only if everything in it came true.
 */
import { enableCompileCache } from 'node:module'
import { parseArgs } from 'node:util'
import { type Terminal, terminalOf } from '../broker/cli/screen/terminal.ts'
import { ConfigError } from '../broker/config.ts'
import { type Child, ChildError, startChild } from './start-child.ts'
import { portsTaken } from './start-ports.ts'
import { type StartSettings, startSettings } from './start-settings.ts'

const PORT_PATIENCE_MS = 4_000
const PARENT_LOOK_MS = 500
const READY_WITHIN_MS = 60_000
/** The broker gives itself 10 s. */
const BROKER_STOPS_WITHIN_MS = 12_000
const SANDBOX_STOPS_WITHIN_MS = 5_000

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
  const { flags, settings, children, tour } = running
  const [sandbox, broker] = [startChild(sandboxChild(settings)), startChild(brokerChild(settings))]
  children.push(sandbox, broker)
  const dead = Promise.race([sandbox.died, broker.died]).then((line): never => {
    throw new ChildError(line)
  })
  const ready = Promise.race([dead, Promise.all([sandbox.ready(), broker.ready()])])
  ready.catch(() => {}) // a child may die before the next line has run; it is told where `ready` is awaited
  // Loaded while the children start: a second start has 5 s for all of it.
  enableCompileCache(settings.compileCache)
  const { afterStart } = await import('./start-after.ts')
  await ready
  const after = afterStart({ ...running, wantsTour: flags.tour, stays: flags.stay })
  tour.cameTrue = await Promise.race([dead, after])
  if (flags.stay) await dead
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

/** A second Ctrl-C while children are stopping ends us at once; their leash then stops them. */
function stopSignal(): AbortSignal {
  const controller = new AbortController()
  const stop = (): void => controller.abort(new Stopped('stopped'))
  const signalled = (): void => (controller.signal.aborted ? process.exit(1) : stop())
  process.on('SIGINT', signalled)
  process.on('SIGTERM', signalled)
  process.on('SIGHUP', signalled)
  if (process.env['npm_lifecycle_event'] !== undefined) whenOrphaned(stop)
  return controller.signal
}

/** npm that is told to stop ends the shell between us and does not tell us; all that we see is another parent. */
function whenOrphaned(stop: () => void): void {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    stop()
  }, PARENT_LOOK_MS)
  timer.unref()
}

/** Rejects with the signal's reason. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }) // ours, see `stopSignal`
  })
}

/** What somebody can do something about: one sentence will do. Anything else is a bug, and comes with its stack. */
const KNOWN: ReadonlySet<string> = new Set([
  'ConfigError',
  'ChildError',
  'ProblemError',
  'TokenError',
  'UnreachableError',
])

function tellFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const isUsage = 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
  return isUsage || KNOWN.has(error.name) ? error.message : (error.stack ?? error.message)
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
