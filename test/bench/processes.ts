/** What benchmarks of the whole broker start and look at: the floor beside it, the memory of either. */
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { table } from '../../broker/cli/screen/table.ts'
import { DAY_MS, toIso } from '../../shared/time.ts'
import type { Load } from './load.ts'

export interface Served {
  readonly url: string
  readonly pid: number
}

export async function startFloor(env: Readonly<Record<string, string>>): Promise<Served & { stop(): void }> {
  const child = spawn(process.execPath, [new URL('floor-server.ts', import.meta.url).pathname], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => resolve((JSON.parse(line) as { url: string }).url))
    child.once('exit', (status) => reject(new Error(`the floor ended with ${status}`)))
  })
  return { url, pid: child.pid ?? 0, stop: () => void child.kill('SIGTERM') }
}

export async function rssMbOf({ pid }: Served): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024)
}

/** An approval that allows whatever a benchmark asks for. */
export async function putApproval({ url }: Served, token: string, id: string): Promise<void> {
  const answer = await fetch(`${url}/v1/approvals/${id}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      organizationId: 'bench',
      program: 'bench',
      priority: 'standard',
      limits: {
        maxNodes: 100_000,
        gpuHours: 1e9,
        architectures: ['blackwell', 'hopper'],
        validFrom: toIso(Date.now() - DAY_MS),
        validTo: toIso(Date.now() + 1_090 * DAY_MS),
      },
    }),
  })
  if (!answer.ok) throw new Error(await answer.text())
  await answer.text()
}

export interface Line {
  readonly what: string
  readonly load: Load
  readonly floor: Load | null
  readonly rssMb: number
  readonly bar: string
}

const statusesOf = ({ statuses }: Load): string =>
  [...statuses].map(([status, count]) => `${status === 0 ? 'none' : status}×${count}`).join(' ')

export const tableOf = (lines: readonly Line[]): string =>
  table<Line>(
    [
      { head: '', value: (line) => line.what },
      { head: 'per second', align: 'right', value: (line) => line.load.perSecond.toFixed(0) },
      { head: 'p50 ms', align: 'right', value: (line) => line.load.p50Ms.toFixed(1) },
      { head: 'p99 ms', align: 'right', value: (line) => line.load.p99Ms.toFixed(1) },
      { head: 'worst ms', align: 'right', value: (line) => line.load.worstMs.toFixed(1) },
      {
        head: '× floor',
        align: 'right',
        value: ({ load: got, floor }) => (floor === null ? '' : (got.perSecond / floor.perSecond).toFixed(2)),
      },
      { head: 'RSS MB', align: 'right', value: (line) => String(line.rssMb) },
      { head: 'answers', value: (line) => statusesOf(line.load) },
      { head: 'bar', value: (line) => line.bar },
    ],
    lines,
  )
