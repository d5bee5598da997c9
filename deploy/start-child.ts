/**
 * A service as a child process: its output goes to a log file, so that the screen stays clean; it is ready once it
 * answers; it is asked to stop, and made to after a while.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export interface ChildOptions {
  readonly name: string
  /** Seen from this file (`../broker/main.ts`), or a whole file URL. */
  readonly program: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly logFile: string
  /** Answers with a success once the service is ready. */
  readonly readyUrl: string
  readonly readyWithinMs: number
  readonly stopWithinMs: number
}

/** A child ended or never answered; the message has its last lines. */
export class ChildError extends Error {
  override readonly name = 'ChildError'
}

export interface Child {
  /** Resolves when it ended without having been asked to, with what to tell about it. Never rejects. */
  readonly died: Promise<string>
  /** @throws ChildError with what to tell when it ended or did not answer in time */
  ready(): Promise<void>
  /** Resolves when it is gone. Twice is once. */
  stop(): Promise<void>
}

const LOOK_AGAIN_MS = 50
const LOOK_TIMEOUT_MS = 1_000
const LAST_LINES = 12

export function startChild(options: ChildOptions): Child {
  const { name, logFile } = options
  const { child, logBegins } = launch(options)
  const lastLines = (): string => lastLinesOf(logFile, logBegins)
  let stopping = false
  let ended = false
  const { promise: gone, resolve: isGone } = Promise.withResolvers<string>()
  child.once('error', (error) => isGone(`The ${name} could not be started: ${error.message}.`))
  child.once('exit', (code, signal) => {
    ended = true
    isGone(`The ${name} ended (${signal ?? `status ${code}`}).${lastLines()}`)
  })
  const died = gone.then((line) => (stopping ? new Promise<string>(() => {}) : line))

  return {
    died,
    async ready() {
      const giveUpAt = Date.now() + options.readyWithinMs
      while (!(await answers(options.readyUrl))) {
        if (ended) throw new ChildError(await gone)
        if (Date.now() >= giveUpAt) {
          throw new ChildError(`The ${name} did not answer within ${options.readyWithinMs / 1_000} s.${lastLines()}`)
        }
        await pause(LOOK_AGAIN_MS)
      }
    },
    async stop() {
      stopping = true
      if (ended) return
      child.kill('SIGTERM')
      const made = setTimeout(() => child.kill('SIGKILL'), options.stopWithinMs)
      await gone
      clearTimeout(made)
    },
  }
}

interface Launched {
  readonly child: ChildProcess
  /** Where in the log file its own lines begin; those before are of earlier runs. */
  readonly logBegins: number
}

function launch({ program, env, logFile }: ChildOptions): Launched {
  mkdirSync(dirname(logFile), { recursive: true })
  const log = openSync(logFile, 'a')
  const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))
  try {
    const logBegins = fstatSync(log).size
    const leash = new URL('start-leash.ts', import.meta.url).href
    const child = spawn(process.execPath, ['--import', leash, path(program)], {
      env: { ...env },
      stdio: ['pipe', log, log],
      // A group of its own: Ctrl-C reaches the parent alone, which stops its children in order.
      detached: true,
    })
    return { child, logBegins }
  } finally {
    closeSync(log)
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(LOOK_TIMEOUT_MS) })
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}

function lastLinesOf(logFile: string, from: number): string {
  const own = readFileSync(logFile).subarray(from).toString().trimEnd()
  const lines = own.split('\n').slice(-LAST_LINES)
  return own === '' ? '' : ` Its last lines, from ${logFile}:\n${lines.map((line) => `  ${line}`).join('\n')}`
}
