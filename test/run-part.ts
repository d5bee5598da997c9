/** Runs one part in a process of its own and says what came of it. It never throws: what goes wrong is a failed part. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CommandPart, MochaPart, Part } from './run-parts.ts'
import { type Counts, NO_COUNTS, type Outcome, readSummary } from './run-report.ts'

export const ROOT = fileURLToPath(new URL('..', import.meta.url))

const MOCHA = join(ROOT, 'test', 'run-mocha.ts')
const PART_DEADLINE_MS = 10 * 60_000
/** From the last test to the end of the process: who is still there then has left something open. */
const LINGER_MS = 30_000
/** From asking a process to end to ending it. */
const GRACE_MS = 10_000

/** The test files of a part, in a fixed order. */
export const filesOf = ({ files }: MochaPart, root = ROOT): readonly string[] =>
  globSync([...files], { cwd: root }).toSorted()

export async function runPart(part: Part): Promise<Outcome> {
  const startedAt = performance.now()
  const ended = part.kind === 'mocha' ? await runMocha(part) : await runCommand(part)
  const failed = ended.problem !== null && ended.counts.failed === 0 ? 1 : ended.counts.failed
  return {
    ...ended.counts,
    failed,
    name: part.name,
    durationMs: performance.now() - startedAt,
    problem: ended.problem,
    output: ended.output,
  }
}

interface Ended {
  readonly counts: Counts
  readonly problem: string | null
  readonly output: string
}

/** Runs the files of a part, or others in their place. */
async function runMocha(part: MochaPart): Promise<Ended> {
  const files = filesOf(part)
  if (files.length === 0) return { counts: NO_COUNTS, problem: 'there is no test file', output: '' }
  return runMochaFiles(files, part)
}

export async function runMochaFiles(
  files: readonly string[],
  { env = {}, deadlineMs = PART_DEADLINE_MS }: Pick<MochaPart, 'env' | 'deadlineMs'> = {},
  lingerMs = LINGER_MS,
): Promise<Ended> {
  const child = spawn(process.execPath, [MOCHA, ...files], {
    cwd: ROOT,
    detached: true, // a group of its own, so that what it starts ends with it
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let counts: Counts | null = null
  const watched = watch(child, deadlineMs)
  child.once('message', (message) => {
    counts = message as Counts // run-mocha.ts sends nothing else
    watched.endWithin(lingerMs, 'all tests have run, but the process does not end: something is left open')
  })
  const { output, problem, status } = await watched.ended
  return { counts: counts ?? NO_COUNTS, problem: problem ?? problemOf(counts, status), output }
}

function problemOf(counts: Counts | null, status: string): string | null {
  if (counts === null) return `it ended before its tests had run: ${status}`
  if (counts.passed + counts.failed + counts.skipped === 0) return 'there is no test in its files'
  return counts.failed === 0 && status !== 'status 0' ? status : null
}

async function runCommand({ command, shown = false, deadlineMs = PART_DEADLINE_MS }: CommandPart): Promise<Ended> {
  const path = `${join(ROOT, 'node_modules', '.bin')}${delimiter}${process.env['PATH'] ?? ''}`
  const child = spawn(command, {
    cwd: ROOT,
    detached: true,
    shell: true,
    env: { ...process.env, PATH: path, ...(process.stdout.isTTY ? {} : { NO_COLOR: '1' }) }, // `CI` alone colours some
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const { output, problem, status } = await watch(child, deadlineMs, shown).ended
  return {
    counts: readSummary(output) ?? NO_COUNTS,
    problem: problem ?? (status === 'status 0' ? null : status),
    output: shown ? '' : output,
  }
}

interface Watched {
  readonly ended: Promise<{ readonly output: string; readonly problem: string | null; readonly status: string }>
  /** From now on it has only so long. */
  endWithin(durationMs: number, problem: string): void
}

const running = new Set<ChildProcess>()

/** Ends what runs, when the run itself is told to end. */
export function stopAll(): void {
  for (const child of running) signalGroup(child, 'SIGTERM')
}

function watch(child: ChildProcess, deadlineMs: number, shown = false): Watched {
  running.add(child)
  const pieces: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (piece: string) => {
      pieces.push(piece)
      if (shown) process.stdout.write(piece)
    })
  }
  let problem: string | null = null
  let timer: NodeJS.Timeout | null = null
  function endWithin(durationMs: number, reason: string): void {
    if (timer !== null) clearTimeout(timer)
    timer = setTimeout(() => {
      problem = reason
      signalGroup(child, 'SIGTERM')
      timer = setTimeout(() => signalGroup(child, 'SIGKILL'), GRACE_MS)
    }, durationMs)
  }
  endWithin(deadlineMs, `it did not end within ${deadlineMs / 1_000} s`)
  const ended = once(child, 'close').then(
    ([code, signal]) => (code === null ? `ended by ${signal}` : `status ${code}`),
    (error: unknown) => `it could not be started: ${String(error)}`,
  )
  return {
    ended: ended.then((status) => {
      running.delete(child)
      if (timer !== null) clearTimeout(timer)
      return { output: pieces.join(''), problem, status }
    }),
    endWithin,
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // it has ended in the meantime
  }
}
