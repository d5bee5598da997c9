/** What follows once sandbox and broker answer: where they are, what they hold, the tour, and how to go on. */
import { setTimeout as pauseFor } from 'node:timers/promises'
import type { Terminal } from '../broker/cli/screen/terminal.ts'
import { count, duration } from '../broker/cli/screen/words.ts'
import { type Client, createClient } from '../broker/client/client.ts'
import { collect } from '../broker/client/collect.ts'
import { clientCredentials } from '../broker/client/credentials.ts'
import { secretOf } from './sandbox/identity-clients.ts'
import type { StartSettings } from './start-settings.ts'
import { howToGoOn } from './tour-farewell.ts'
import { runTour } from './tour.ts'

export interface AfterStart {
  readonly settings: StartSettings
  readonly terminal: Terminal
  /** Epoch ms. */
  readonly startedAt: number
  readonly wantsTour: boolean
  /** Whether broker and sandbox go on afterwards. */
  readonly stays: boolean
  readonly signal: AbortSignal
}

const CLIENT = 'platform'
const COUNTED_AT_MOST = 500

/** @returns whether everything in the tour came true; also if there was none */
export async function afterStart(after: AfterStart): Promise<boolean> {
  const { settings, terminal, signal } = after
  const { sandboxUrls, brokerUrl } = settings
  const tokens = clientCredentials({ issuer: sandboxUrls.identity, clientId: CLIENT, clientSecret: secretOf(CLIENT) })
  const client = createClient({ baseUrl: brokerUrl, tokens })
  terminal.write(await readyText(after, client))
  const pause = (ms: number, until: AbortSignal): Promise<unknown> => pauseFor(ms, undefined, { signal: until })
  const cameTrue = after.wantsTour
    ? await runTour({ client, sandboxUrls, terminal, now: Date.now, pause, signal })
    : true
  terminal.write(howToGoOn({ ...settings, isRunning: after.stays }))
  return cameTrue
}

async function readyText({ settings, startedAt }: AfterStart, client: Client): Promise<string> {
  const { sandboxUrls, brokerUrl, metricsUrl, brokerLog, sandboxLog, sandboxDir, config } = settings
  const readyAfter = duration(Date.now() - startedAt)
  const [approvals, allocations] = await Promise.all([
    collect(client.listApprovals(), COUNTED_AT_MOST),
    collect(client.listAllocations(), COUNTED_AT_MOST),
  ])
  const kept =
    approvals.length + allocations.length === 0
      ? 'Nothing is stored yet.'
      : `${countedText(approvals)} approvals and ${countedText(allocations)} allocations are kept from before.`
  return `${[
    `sandbox  naver ${sandboxUrls.naver}  nhn ${sandboxUrls.nhn}  kakao ${sandboxUrls.kakao}  identity ${sandboxUrls.identity}`,
    `broker   ${brokerUrl}  documentation ${brokerUrl}/docs/  metrics ${metricsUrl}`,
    `data     ${config.DATABASE_URL === undefined ? config.DATA_DIR : 'PostgreSQL'} and ${sandboxDir}  logs ${brokerLog}, ${sandboxLog}`,
    `Ready after ${readyAfter}. ${kept}`,
  ].join('\n')}\n`
}

const countedText = (found: readonly unknown[]): string =>
  found.length < COUNTED_AT_MOST ? count(found.length) : `${COUNTED_AT_MOST} or more`
