/** The command line in memory: nothing of this process's own streams, clock or environment reaches it. */
import type { World } from '../../broker/cli/io.ts'
import { run } from '../../broker/cli/program.ts'

export const NOW = Date.parse('2026-11-24T09:00:00Z')

export interface CliWorld {
  readonly env?: Readonly<Record<string, string>>
  /** Path → text. */
  readonly files?: Readonly<Record<string, string>>
  readonly isInteractive?: boolean
  readonly signal?: AbortSignal
}

export interface Ran {
  readonly status: number
  readonly out: string
  readonly err: string
  readonly pausesMs: readonly number[]
}

/** Time passes only by pausing, and pausing takes no time. */
export async function cli(args: readonly string[], world: CliWorld = {}): Promise<Ran> {
  let [out, err, now] = ['', '', NOW]
  const pausesMs: number[] = []
  const io: World = {
    terminal: {
      write: (text) => {
        out += text
      },
      writeError: (text) => {
        err += text
      },
      isInteractive: world.isInteractive ?? false,
      hasColor: false,
      columns: 160,
    },
    env: world.env ?? {},
    now: () => now,
    async pause(ms, signal) {
      signal.throwIfAborted()
      pausesMs.push(ms)
      now += ms
    },
    async readText(path) {
      const text = world.files?.[path]
      if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
      return text
    },
    signal: world.signal ?? new AbortController().signal,
  }
  const status = await run(args, io)
  return { status, out, err, pausesMs }
}

/** What a caller sets once. */
export const at = (url: string): CliWorld => ({ env: { GPU_BROKER_URL: url, GPU_BROKER_TOKEN: 'all' } })
