/**
 * A good adapter for the operator in memory, as small as one can be. Habits that no wrapper can break from outside are
 * switches, all of them on.
 */
import { z } from 'zod'
import { type OwnerTag, memberName } from '../../shared/ids.ts'
import { ProviderError } from '../../shared/provider-error.ts'
import type { AdapterContext, Call, NodeFilter, Provider, ProviderNode } from '../../shared/provider.ts'
import { ConnectionLost, type Answer, type MemoryOperator } from './memory-operator.ts'

export interface Habits {
  readonly followsPages: boolean
  readonly wantsAllPages: boolean
  readonly listsOwn: boolean
  readonly looksBeforeCreating: boolean
  readonly asksOnlyForMissing: boolean
  readonly renewsToken: boolean
  readonly checksShape: boolean
  readonly sparesForeign: boolean
  readonly sparesNeeded: boolean
  readonly joinsFabric: boolean
}

const GOOD: Habits = {
  followsPages: true,
  wantsAllPages: true,
  listsOwn: true,
  looksBeforeCreating: true,
  asksOnlyForMissing: true,
  renewsToken: true,
  checksShape: true,
  sparesForeign: true,
  sparesNeeded: true,
  joinsFabric: true,
}

export const CLUSTER = 'memory-1'
const MAX_BATCH = 10

const Owner = z.object({ installationId: z.string(), allocationId: z.string(), group: z.string() })
const Row = z.object({
  id: z.string(),
  name: z.string(),
  owner: Owner,
  state: z.enum(['building', 'ready', 'failed']),
  inFabric: z.boolean(),
  address: z.string(),
  createdAt: z.number(),
})
const Page = z.object({ rows: z.array(Row), more: z.boolean() })
const Thing = z.object({
  id: z.string(),
  kind: z.enum(['init-script', 'fabric-cluster']),
  name: z.string(),
  owner: Owner,
  members: z.array(z.string()),
})
const Things = z.object({ rows: z.array(Thing) })
const Info = z.object({ images: z.array(z.string()), free: z.number() })
const Complaint = z.object({ code: z.string().optional(), message: z.string().optional() })

interface Options {
  readonly operator: MemoryOperator
  readonly key: string
  readonly habits?: Partial<Habits>
  readonly context?: AdapterContext
}

export function createMemoryProvider({ operator, key, habits: changed = {}, context }: Options): Provider {
  const habits = { ...GOOD, ...changed }
  const now = context?.now ?? Date.now
  let token: string | null = null

  async function send(path: string, request: unknown, call: Call): Promise<string> {
    const remainingMs = call.deadlineAt - now()
    if (remainingMs <= 0 || call.signal.aborted) {
      throw new ProviderError('unreachable', 'nothing was sent', { effect: 'none' })
    }
    const effect = CHANGING.has(path) ? 'maybe' : 'none'
    // No AbortSignal.timeout, which knows no virtual time.
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), remainingMs)
    const signal = AbortSignal.any([call.signal, late.signal])
    const exchange = async (): Promise<Answer> => {
      try {
        return await operator.exchange({ path, token, request, signal })
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error
        throw new ProviderError('unreachable', 'no answer', { effect, code: signal.aborted ? 'ENDED' : 'LOST' })
      }
    }
    try {
      let answer = await exchange()
      if (answer.status === 401 && token !== null && habits.renewsToken) {
        token = null
        await login(call)
        answer = await exchange()
      }
      return judged(answer, effect)
    } finally {
      clearTimeout(timer)
    }
  }

  async function login(call: Call): Promise<void> {
    token ??= read(z.object({ token: z.string() }), await send('/login', key, call), 'none').token
  }

  async function ask<S extends z.ZodType>(schema: S, path: string, request: unknown, call: Call): Promise<z.infer<S>> {
    await login(call)
    return read(schema, await send(path, request, call), CHANGING.has(path) ? 'maybe' : 'none')
  }

  async function rows(call: Call): Promise<readonly z.infer<typeof Row>[]> {
    const found: z.infer<typeof Row>[] = []
    for (;;) {
      try {
        const schema = habits.checksShape ? Page : Page.catch({ rows: [], more: false })
        const page = await ask(schema, '/list', { after: found.at(-1)?.id ?? '' }, call)
        found.push(...page.rows)
        if (!page.more || !habits.followsPages) return found
      } catch (error) {
        if (found.length > 0 && !habits.wantsAllPages) return found
        throw error
      }
    }
  }

  async function listNodes(filter: NodeFilter, call: Call): Promise<readonly ProviderNode[]> {
    const found = await rows(call)
    const isWanted = (owner: OwnerTag): boolean =>
      isIn(habits.listsOwn ? filter : { ...filter, installationId: owner.installationId }, owner)
    const isTaken = ({ id }: z.infer<typeof Row>): boolean => filter.adopted?.includes(id) === true
    return found.filter((row) => isTaken(row) || isWanted(row.owner)).map((row) => toNode(row, habits.joinsFabric))
  }

  const thingsOf = async (call: Call) => (await ask(Things, '/things', {}, call)).rows

  const fabricOf = async ({ allocationId }: OwnerTag, call: Call) =>
    (await thingsOf(call)).find((thing) => thing.kind === 'fabric-cluster' && thing.owner.allocationId === allocationId)

  return {
    id: 'memory',
    capabilities: {
      maxBatch: MAX_BATCH,
      visibilityDelayMs: 20,
      nodeName: { maxLength: 30, pattern: /^[a-z][a-z0-9-]*$/ },
      findsByOwner: 'scan',
      reportsFreeCapacity: true,
      joinsFabric: habits.joinsFabric,
    },
    async describe(call) {
      const { images } = await ask(Info, '/info', {}, call)
      return [{ clusterId: CLUSTER, images, networks: ['private'], problems: [] }]
    },
    async createNodes(group, call) {
      const isKnown = ['ubuntu', 'other'].includes(group.imageAlias) && group.network === 'private'
      if (!isKnown || group.clusterId !== CLUSTER || group.size > MAX_BATCH) {
        throw new ProviderError('refused', 'not configured', { effect: 'none' })
      }
      const names = Array.from({ length: group.size }, (_, index) => memberName(group.name, index + 1))
      const found = habits.looksBeforeCreating ? await listNodes(group.owner, call) : []
      const missing = names.filter((name) => !found.some((node) => node.name === name))
      const wanted = habits.asksOnlyForMissing || missing.length === 0 ? missing : names
      if (wanted.length > 0) {
        const request = { names: wanted, owner: group.owner, keys: group.sshPublicKeys }
        await ask(z.object({}), '/create', request, call)
      }
      return found.filter(({ name }) => names.includes(name))
    },
    listNodes,
    async listOthers({ installationId }, call) {
      const others = (await rows(call)).filter(({ owner }) => owner.installationId !== installationId)
      return others.map(({ id: providerInstanceId, name, createdAt }) => {
        return { providerInstanceId, name, clusterId: CLUSTER, createdAt }
      })
    },
    async deleteNodes({ providerInstanceIds }, call) {
      await login(call)
      for (const id of new Set(providerInstanceIds)) {
        try {
          await send('/remove', { id }, call)
        } catch (error) {
          if (!(error instanceof ProviderError) || error.kind !== 'not-found') throw error
        }
      }
    },
    ...(habits.joinsFabric &&
      ({
        async joinFabric({ owner, providerInstanceIds: members }, call) {
          const fabric = await fabricOf(owner, call)
          const put = { kind: 'fabric-cluster', name: owner.allocationId, owner, members }
          if (fabric === undefined) await ask(z.object({}), '/things/put', put, call)
          else await ask(z.object({}), '/things/members', { id: fabric.id, members }, call)
          return { settled: true }
        },
        async leaveFabric({ owner }, call) {
          const fabric = await fabricOf(owner, call)
          if (fabric !== undefined) await ask(z.object({}), '/things/remove', { id: fabric.id }, call)
          return { settled: true }
        },
      } satisfies Partial<Provider>)),
    async sweepLeftovers({ installationId, allocationsEnded }, call) {
      const nodes = await rows(call)
      const things = await thingsOf(call)
      const ours = things.filter((one) => !habits.sparesForeign || one.owner.installationId === installationId)
      const unneeded = ours.filter(({ kind, owner }) => {
        if (allocationsEnded.has(owner.allocationId)) return true
        if (!habits.sparesNeeded) return true
        return (
          kind === 'init-script' && !nodes.some((node) => node.owner.group === owner.group && node.state === 'building')
        )
      })
      for (const { id } of unneeded) await ask(z.object({}), '/things/remove', { id }, call)
      return unneeded.map(({ id, kind, name }) => ({ id, kind, name, action: 'removed' as const }))
    },
    freeCapacity: async (_clusterId, call) => (await ask(Info, '/info', {}, call)).free,
    ping: async (call) => void (await ask(Info, '/info', {}, call)),
  }
}

const CHANGING: ReadonlySet<string> = new Set([
  '/create',
  '/remove',
  '/things/put',
  '/things/members',
  '/things/remove',
])

const isIn = (filter: NodeFilter, owner: OwnerTag): boolean =>
  owner.installationId === filter.installationId &&
  (filter.allocationId === undefined || owner.allocationId === filter.allocationId)

const toNode = (row: z.infer<typeof Row>, joinsFabric: boolean): ProviderNode => ({
  providerInstanceId: row.id,
  name: row.name,
  owner: row.owner,
  clusterId: CLUSTER,
  state: row.state,
  inFabric: !joinsFabric || row.inFabric,
  address: row.address,
  createdAt: row.createdAt,
  failure: row.state === 'failed' ? { code: null, message: 'the build failed', kind: 'fault' } : null,
})

/** @returns the body of a good answer */
function judged({ status, headers, body }: Answer, effect: 'none' | 'maybe'): string {
  if (status === 200) return body
  if (status >= 500) throw new ProviderError('unreachable', `status ${status}`, { effect, code: String(status) })
  const { code = null, message: providerMessage = null } = complaintIn(body)
  const details = { effect: 'none', code, providerMessage } as const
  if (status === 429) {
    throw new ProviderError('throttled', 'too many calls', {
      ...details,
      retryAfterMs: pauseIn(headers['retry-after']),
    })
  }
  if (status === 401 || status === 403) throw new ProviderError('unauthenticated', 'the key is not accepted', details)
  if (status === 404 && code === 'GONE') throw new ProviderError('not-found', 'it is gone', details)
  if (code === 'QUOTA') throw new ProviderError('quota-exceeded', 'the quota is used up', details)
  if (code === 'FULL') throw new ProviderError('out-of-capacity', 'there is no room', details)
  throw new ProviderError('refused', `status ${status}`, details)
}

function complaintIn(body: string): z.infer<typeof Complaint> {
  try {
    return Complaint.catch({}).parse(JSON.parse(body))
  } catch {
    return {}
  }
}

function pauseIn(retryAfter: string | undefined): number | null {
  if (retryAfter === undefined) return null
  return /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1_000 : Date.parse(retryAfter) - Date.now()
}

function read<S extends z.ZodType>(schema: S, body: string, effect: 'none' | 'maybe'): z.infer<S> {
  try {
    return schema.parse(JSON.parse(body))
  } catch {
    throw new ProviderError('malformed', 'it cannot be read', { effect })
  }
}
