/** A broker as a process of its own, run as in production, so that it can be killed at any instant and started again. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { SandboxSettings } from '../../deploy/sandbox/for-broker.ts'

/** Files that configure it: made once, used by every start. */
export interface BrokerFiles {
  readonly env: Readonly<Record<string, string>>
  remove(): Promise<void>
}

export interface BrokerProcess {
  readonly url: string
  readonly pid: number
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
  /** SIGTERM; @returns its exit status, null when a signal ended it */
  terminate(): Promise<number | null>
}

const MAIN = new URL('../../broker/main.ts', import.meta.url).pathname
const READY_WITHIN_MS = 60_000

/** The sandbox's data as files, as an operator of the broker would write them. */
export async function brokerFiles(settings: SandboxSettings): Promise<BrokerFiles> {
  const folder = await mkdtemp(join(tmpdir(), 'gpu-broker-config-'))
  const providers = join(folder, 'providers.json')
  const inventory = join(folder, 'inventory.json')
  await writeFile(providers, JSON.stringify(settings.providers))
  await writeFile(inventory, JSON.stringify(settings.readInventory()))
  return {
    env: {
      PROVIDERS: providers,
      INVENTORY: inventory,
      OIDC_ISSUER: settings.issuer,
      OIDC_AUDIENCE: settings.audience,
      PORT: '0',
      METRICS_PORT: '0',
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

/** @throws Error with what it wrote, when it does not get ready */
export async function startBrokerProcess(env: Readonly<Record<string, string>>): Promise<BrokerProcess> {
  const child = spawnBroker(env)
  const ended = once(child, 'exit') as Promise<[number | null]>
  const said: string[] = []
  child.stderr?.on('data', (chunk: Buffer) => said.push(String(chunk)))
  const url = await Promise.race([
    readyUrl(child, said),
    ended.then(([status]) => {
      throw new Error(`the broker ended with ${status} before it was ready: ${said.join('')}`)
    }),
  ])
  const send = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    const [status] = await ended
    return status
  }
  return {
    url,
    pid: child.pid ?? 0,
    kill: async () => void (await send('SIGKILL')),
    terminate: () => send('SIGTERM'),
  }
}

/** A start that is expected to fail. @returns its exit status and every line that it wrote to standard error */
export async function failedStart(
  env: Readonly<Record<string, string>>,
): Promise<{ readonly status: number | null; readonly lines: readonly string[] }> {
  const child = spawnBroker(env)
  const said: string[] = []
  child.stderr?.on('data', (chunk: Buffer) => said.push(String(chunk)))
  child.stdout?.resume()
  const timer = setTimeout(() => child.kill('SIGKILL'), READY_WITHIN_MS) // it started after all
  const [status] = (await once(child, 'close')) as [number | null]
  clearTimeout(timer)
  return { status, lines: said.join('').trimEnd().split('\n') }
}

/** With nothing of this process's environment but what finds node: the configuration is the test's alone. */
const spawnBroker = (env: Readonly<Record<string, string>>): ChildProcess =>
  spawn(process.execPath, [MAIN], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })

function readyUrl(child: ChildProcess, said: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`the broker is not ready in time: ${said.join('')}`))
    }, READY_WITHIN_MS)
    if (child.stdout === null) throw new Error('its output is a pipe')
    createInterface(child.stdout).on('line', (line) => {
      said.push(`${line}\n`)
      const { msg, url } = JSON.parse(line) as { msg: string; url?: string } // pino writes one object per line
      if (msg !== 'the broker is ready' || url === undefined) return
      clearTimeout(timer)
      resolve(url)
    })
  })
}
