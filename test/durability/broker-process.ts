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
  /** Resolves when the process has ended, for whatever reason. */
  readonly ended: Promise<void>
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
  /** SIGTERM; @returns its exit status, null when a signal ended it */
  terminate(): Promise<number | null>
}

/** Of this version. */
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
      SHUTDOWN_DELAY_SECONDS: '0',
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

/**
 * @param onError told each line that it logs as an error from then on
 * @param main the program; default this version's
 * @throws Error with what it wrote, when it does not get ready
 */
export async function startBrokerProcess(
  env: Readonly<Record<string, string>>,
  onError: (line: string) => void = () => undefined,
  main: string = MAIN,
): Promise<BrokerProcess> {
  const child = spawnBroker(env, main)
  const ended = once(child, 'exit') as Promise<[number | null]>
  const said: string[] = []
  child.stderr?.on('data', (chunk: Buffer) => said.push(String(chunk)))
  const url = await Promise.race([
    ready(child, { said, onError }),
    ended.then(([status]) => {
      throw new Error(`the broker ended with ${status} before it was ready: ${said.join('')}`)
    }),
  ])
  child.stderr?.on('data', (chunk: Buffer) => onError(String(chunk)))
  const send = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    const [status] = await ended
    return status
  }
  return {
    url,
    pid: child.pid ?? 0,
    ended: ended.then(() => undefined),
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
const spawnBroker = (env: Readonly<Record<string, string>>, main: string = MAIN): ChildProcess =>
  spawn(process.execPath, [main], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })

/** The level of errors, as pino writes it. */
const ERROR_LEVEL = 50

function ready(
  child: ChildProcess,
  { said, onError }: { readonly said: string[]; readonly onError: (line: string) => void },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`the broker is not ready in time: ${said.join('')}`))
    }, READY_WITHIN_MS)
    if (child.stdout === null) throw new Error('its output is a pipe')
    let isReady = false
    createInterface(child.stdout).on('line', (line) => {
      if (!isReady) said.push(`${line}\n`)
      const { msg, level, url } = JSON.parse(line) as Line // pino writes one object per line
      if (level >= ERROR_LEVEL) onError(line)
      if (msg !== 'the broker is ready' || url === undefined) return
      isReady = true
      clearTimeout(timer)
      resolve(url)
    })
  })
}

interface Line {
  readonly msg: string
  readonly level: number
  readonly url?: string
}
