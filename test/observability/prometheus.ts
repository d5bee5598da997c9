/** A real Prometheus on loopback with its data in a temporary folder, and its HTTP API. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { eventually } from '../durability/eventually.ts'
import { PROMETHEUS_FOLDER } from './tools.ts'
import { freePort } from '../support/free-port.ts'

export type Labels = Readonly<Record<string, string>>

export interface Sample {
  readonly metric: Labels
  readonly value: readonly [at: number, value: string]
}

export interface FiringAlert {
  readonly labels: Labels
  readonly annotations: Labels
  readonly state: 'pending' | 'firing'
  readonly activeAt: string
}

export interface Rule {
  readonly name: string
  readonly health: string
  readonly lastError?: string
}

export interface Prometheus {
  readonly url: string
  /** An instant query. @throws Error with what Prometheus says of it */
  query(expr: string): Promise<readonly Sample[]>
  /** Series of now that a selector matches. */
  series(selector: string): Promise<readonly Labels[]>
  alerts(): Promise<readonly FiringAlert[]>
  rules(): Promise<readonly Rule[]>
  /** Scrapes somebody else from its next round on: a broker that was started again has another port. */
  scrape(targets: readonly string[]): Promise<void>
  stop(): Promise<void>
}

export interface PrometheusOptions {
  /** `host:port` of each replica's metrics. */
  readonly targets: readonly string[]
  /** Of scrapes and of rules. */
  readonly everySeconds: number
  /** Changes the text of a file of rules before it is loaded. */
  readonly rules?: (text: string) => string
}

const READY_WITHIN_MS = 30_000
const START_ATTEMPTS = 3

export async function startPrometheus(options: PrometheusOptions): Promise<Prometheus> {
  const folder = await mkdtemp(join(tmpdir(), 'gpu-broker-prometheus-'))
  const targetsFile = join(folder, 'targets.json')
  const scrape = (targets: readonly string[]): Promise<void> => writeFile(targetsFile, JSON.stringify([{ targets }]))
  await scrape(options.targets)
  await writeRules(folder, options)
  await writeFile(join(folder, 'prometheus.yml'), configuration(targetsFile, options.everySeconds))
  try {
    const { child, url } = await startOn(folder)
    const prometheus = apiAt(url)
    return {
      ...prometheus,
      scrape,
      async stop() {
        await end(child)
        await rm(folder, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

async function writeRules(folder: string, { rules = (text) => text }: PrometheusOptions): Promise<void> {
  await cp(join(PROMETHEUS_FOLDER, 'rules'), join(folder, 'rules'), { recursive: true })
  for (const name of await readdir(join(folder, 'rules'))) {
    const file = join(folder, 'rules', name)
    await writeFile(file, rules(await readFile(file, 'utf8')))
  }
}

/** As deploy/prometheus/prometheus.yml, with targets from a file in place of DNS. */
const configuration = (targetsFile: string, everySeconds: number): string =>
  stringify({
    global: {
      scrape_interval: `${everySeconds}s`,
      scrape_timeout: `${Math.min(everySeconds, 10)}s`,
      evaluation_interval: `${everySeconds}s`,
    },
    rule_files: ['rules/*.yml'],
    scrape_configs: [{ job_name: 'gpu-broker', file_sd_configs: [{ files: [targetsFile], refresh_interval: '1s' }] }],
  })

/** Between asking for a free port and listening on it somebody else may take it. */
async function startOn(folder: string): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  for (let attempt = 1; ; attempt += 1) {
    const address = `127.0.0.1:${await freePort()}`
    const said: string[] = []
    const child = spawn(
      'prometheus',
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=${address}`,
        '--enable-feature=exemplar-storage',
        '--log.level=warn',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    )
    child.stderr.on('data', (piece: Buffer) => said.push(String(piece)))
    const url = `http://${address}`
    try {
      const isReady = (): Promise<boolean> =>
        fetch(`${url}/-/ready`).then(
          ({ ok }) => ok,
          () => child.exitCode !== null,
        )
      await eventually('Prometheus is ready', isReady, (ready) => ready, READY_WITHIN_MS)
      if (child.exitCode === null) return { child, url }
      throw new Error(`it ended with ${child.exitCode}`)
    } catch (error) {
      await end(child)
      if (attempt === START_ATTEMPTS) throw new Error(`Prometheus does not start: ${said.join('')}`, { cause: error })
    }
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), READY_WITHIN_MS)
  await ended
  clearTimeout(timer)
}

function apiAt(url: string): Omit<Prometheus, 'scrape' | 'stop'> {
  const get = async (path: string, params: Labels = {}): Promise<unknown> => {
    const answer = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(params).toString()}`)
    const { status, data, error } = (await answer.json()) as { status: string; data: unknown; error?: string } // its API says so
    if (status !== 'success') throw new Error(`${error ?? 'no reason given'}: ${JSON.stringify(params)}`)
    return data
  }
  return {
    url,
    query: async (query) => ((await get('query', { query })) as { result: readonly Sample[] }).result,
    series: async (selector) => (await get('series', { 'match[]': selector })) as readonly Labels[],
    alerts: async () => ((await get('alerts')) as { alerts: readonly FiringAlert[] }).alerts,
    rules: async () =>
      ((await get('rules')) as { groups: readonly { rules: readonly Rule[] }[] }).groups.flatMap(({ rules }) => rules),
  }
}
