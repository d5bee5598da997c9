/**
 * Asks until there is an answer: the same request under the same idempotency key, to one replica after another. What was
 * answered is kept, and asked once more in the end: it must be the same.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { Allocation } from '../../shared/allocation.ts'
import { Problem } from '../../shared/problem.ts'
import { HOUR_MS, toIso } from '../../shared/time.ts'
import type { ApiClient, Got } from '../support/api-client.ts'
import type { Asking } from './plan.ts'

export interface Answered {
  readonly asking: Asking
  readonly request: Request
  readonly status: number
  readonly text: string
}

export interface Request {
  readonly path: string
  readonly body: object
  readonly key: string
}

export interface Asker {
  /** Null where what it is about was refused. */
  ask(asking: Asking): Promise<Answered | null>
  /** Of the creates of the plan, in its order: what was taken; null what was refused. */
  readonly created: readonly (Allocation | null)[]
  readonly answered: readonly Answered[]
  retries(): number
  /** Resolves once so many more requests are answered; one at a time may wait. */
  moreAnswers(count: number): Promise<void>
}

export interface AskerOptions {
  readonly platform: ApiClient
  readonly approvalId: string
  /** Ids of the clusters, in the plan's order. */
  readonly clusters: readonly string[]
}

/** Two leases of a dead replica, and the start of another. */
const PATIENCE_MS = 90_000
const RETRY_PAUSE_MS = 150

export function createAsker(options: AskerOptions): Asker {
  const { platform } = options
  const created: (Allocation | null)[] = []
  const answered: Answered[] = []
  let asked = 0
  let retries = 0
  let awaited = { count: 0, reached: (): void => undefined }
  return {
    created,
    answered,
    retries: () => retries,
    moreAnswers(count) {
      if (count === 0) return Promise.resolve()
      return new Promise((reached) => {
        awaited = { count: answered.length + count, reached }
      })
    },
    async ask(asking) {
      asked += 1
      const key = `chaos-${options.approvalId}-${asked}`
      const place = asking.kind === 'create' ? created.push(null) - 1 : null
      const request = requestFor(asking, { ...options, key, created })
      if (request === null) return null
      const got = await untilAnswered(platform, request, () => (retries += 1))
      const answer = { asking, request, status: got.status, text: got.text }
      answered.push(answer)
      if (place !== null && got.status === 201) created[place] = got.as(201, Allocation)
      if (answered.length === awaited.count) awaited.reached()
      return answer
    },
  }
}

export async function untilAnswered(platform: ApiClient, request: Request, onRetry: () => void): Promise<Got> {
  const giveUpAt = performance.now() + PATIENCE_MS
  for (;;) {
    const got = await platform.post(request.path, request.body, { 'idempotency-key': request.key }).catch(brokenOff)
    if (got instanceof Error || isPassing(got)) {
      if (performance.now() > giveUpAt)
        throw new Error(`${request.path} is never answered: ${got instanceof Error ? String(got) : got.text}`)
      onRetry()
      await pause(RETRY_PAUSE_MS)
      continue
    }
    if (isDecided(got)) return got
    throw new Error(`${request.path} is answered ${got.status}: ${got.text}`)
  }
}

/** Killed before it answered; what fails for another reason fails the run. */
function brokenOff(error: unknown): Error {
  if (error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError')) return error
  throw error
}

const isPassing = ({ status, text }: Got): boolean =>
  status >= 500 || status === 429 || (status === 409 && codeOf(text) === 'idempotency-in-flight')

/** 400: an earlier shrink has left fewer than this one asks for. */
const isDecided = (got: Got): boolean => isKept(got) || got.status === 400

/** What a key keeps, to be answered again. */
export const isKept = ({ status }: Pick<Got, 'status'>): boolean => status < 300 || status === 409 || status === 422

const codeOf = (text: string): string => Problem.parse(JSON.parse(text)).code

interface Surroundings extends Pick<AskerOptions, 'approvalId' | 'clusters'> {
  readonly key: string
  readonly created: readonly (Allocation | null)[]
}

/** The body is made once: under one key it must stay the same. */
function requestFor(asking: Asking, { key, approvalId, clusters, created }: Surroundings): Request | null {
  switch (asking.kind) {
    case 'create': {
      const { nodes, hours, operator } = asking
      const requires = operator === null ? {} : { requires: { providers: [operator] } }
      const body = { approvalId, name: key, demand: { nodes }, period: { durationHours: hours }, ...requires }
      return { key, path: '/v1/allocations', body }
    }
    case 'drain': {
      const { nodes, hours, cluster } = asking
      const from = Date.now()
      const body = { nodes, from: toIso(from), to: toIso(from + hours * HOUR_MS), reason: 'chaos' }
      return { key, path: `/v1/clusters/${clusters[cluster]}/drains`, body }
    }
    case 'suspend':
    case 'resume':
      return { key, path: `/v1/clusters/${clusters[asking.cluster]}/${asking.kind}`, body: {} }
    case 'freeze':
    case 'unfreeze': {
      const body = asking.operator === null ? {} : { providerId: asking.operator }
      return { key, path: `/v1/operations/${asking.kind}`, body }
    }
    default: {
      const allocation = created[asking.of] ?? null
      const path = `/v1/allocations/${allocation?.id}/${asking.kind}`
      return allocation === null ? null : { key, path, body: bodyOf(asking, allocation) }
    }
  }
}

function bodyOf(asking: Extract<Asking, { readonly of: number }>, allocation: Allocation): object {
  if (asking.kind === 'release') return {}
  if (asking.kind === 'shrink') return { nodes: Math.max(1, (allocation.demand.nodes ?? 1) - asking.byNodes) }
  return { end: toIso(Date.parse(allocation.placement?.end ?? allocation.createdAt) + asking.hours * HOUR_MS) }
}
