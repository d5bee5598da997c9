/**
 * An operator in memory, honest and fast, that can be told to misbehave like the sandbox: pages, tokens, lag, quota, room,
 * init scripts and interconnect groups, and answers that are lost on their way. The kit is tried against it, so that each
 * way to break an adapter costs milliseconds.
 */
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import type { Fault, Sandbox } from '../../broker/conformance/contract-case.ts'
import type { OwnerTag } from '../../shared/ids.ts'

export const MEMORY_KEY = 'the-right-key'
export const PAGE_SIZE = 4

export interface StoredNode {
  readonly id: string
  readonly name: string
  readonly owner: OwnerTag
  readonly createdAt: number
  readonly readyAt: number
  fails: boolean
  deletedAt: number | null
}

export interface StoredThing {
  readonly id: string
  readonly kind: 'init-script' | 'fabric-cluster'
  readonly name: string
  readonly owner: OwnerTag
  members: readonly string[]
  deletedAt: number | null
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The connection ended without an answer. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
}

export interface Exchange {
  readonly path: string
  readonly token: string | null
  readonly request: unknown
  readonly signal: AbortSignal
}

export interface MemoryOperator {
  readonly sandbox: Sandbox
  /** One HTTP call. Rejects with ConnectionLost, also when the signal ends it. */
  exchange(call: Exchange): Promise<Answer>
}

interface Behaviour {
  listLagMs: number
  deleteLies: number | boolean
  buildFails: number
  freeNodes: number | null
  quotaNodes: number | null
  tokenTtlMs: number | null
  bootMs: number | null
}

const BEST_DAY: Behaviour = {
  listLagMs: 0,
  deleteLies: 0,
  buildFails: 0,
  freeNodes: null,
  quotaNodes: null,
  tokenTtlMs: null,
  bootMs: null,
}
const BOOT_MS = 5
const TOLERATED_SKEW_MS = 600_000
const NEVER = Number.POSITIVE_INFINITY

interface CreateRequest {
  readonly names: readonly string[]
  readonly owner: OwnerTag
  readonly keys: readonly string[]
}

const answer = (status: number, body: unknown = {}): Answer => ({
  status,
  headers: {},
  body: typeof body === 'string' ? body : JSON.stringify(body),
})

export function createMemoryOperator(): MemoryOperator {
  const nodes: StoredNode[] = []
  const things: StoredThing[] = []
  const tokens = new Map<string, number>()
  const behaviour = { ...BEST_DAY }
  let faults: { readonly fault: Fault; left: number }[] = []
  let clockOffsetMs = 0
  let lastId = 0

  const newId = (prefix: string): string => `${prefix}-${String((lastId += 1)).padStart(6, '0')}`
  const standing = (): StoredNode[] => nodes.filter(({ deletedAt }) => deletedAt === null)
  const visible = (): StoredNode[] => standing().filter((node) => Date.now() - node.createdAt >= behaviour.listLagMs)

  const routes: Readonly<Record<string, (request: never) => Answer>> = {
    '/info': () => answer(200, { images: ['ubuntu', 'other'], free: behaviour.freeNodes ?? 100 }),
    '/list': ({ after }: { after: string }) => {
      const rest = visible().filter(({ id }) => id > after)
      const rows = rest.slice(0, PAGE_SIZE).map((node) => ({ ...node, ...stateOf(node), inFabric: isJoined(node.id) }))
      return answer(200, { rows, more: rest.length > PAGE_SIZE })
    },
    '/create': (request: CreateRequest) => create(request),
    '/remove': ({ id }: { id: string }) => remove(id),
    '/things': () => answer(200, { rows: things.filter(({ deletedAt }) => deletedAt === null) }),
    '/things/put': (thing: Omit<StoredThing, 'id' | 'deletedAt'>) => {
      things.push({ ...thing, id: newId('t'), deletedAt: null })
      return answer(200)
    },
    '/things/members': ({ id, members }: { id: string; members: readonly string[] }) => {
      for (const thing of things.filter((one) => one.id === id)) thing.members = members
      return answer(200)
    },
    '/things/remove': ({ id }: { id: string }) => removeThing(id),
  }

  function stateOf(node: StoredNode): { state: string; address: string } {
    const built = node.fails ? 'failed' : 'ready'
    return { state: Date.now() >= node.readyAt ? built : 'building', address: `10.0.0.${node.id}` }
  }

  const isJoined = (id: string): boolean =>
    things.some(
      ({ kind, members, deletedAt }) => kind === 'fabric-cluster' && deletedAt === null && members.includes(id),
    )

  function create({ names, owner, keys }: CreateRequest): Answer {
    if (behaviour.quotaNodes !== null && standing().length + names.length > behaviour.quotaNodes) {
      return answer(409, { code: 'QUOTA' })
    }
    if (behaviour.freeNodes !== null && names.length > behaviour.freeNodes) return answer(409, { code: 'FULL' })
    const createdAt = Date.now()
    const readyAt = createdAt + (behaviour.bootMs ?? BOOT_MS)
    for (const name of names) {
      const fails = behaviour.buildFails > 0
      behaviour.buildFails -= fails ? 1 : 0
      nodes.push({ id: newId('n'), name, owner, createdAt, readyAt, fails, deletedAt: null })
    }
    if (keys.length > 0) {
      things.push({ id: newId('t'), kind: 'init-script', name: owner.group, owner, members: [], deletedAt: null })
    }
    return answer(200)
  }

  function remove(id: string): Answer {
    const node = standing().find((one) => one.id === id)
    if (node === undefined) return answer(404, { code: 'GONE' })
    if (behaviour.deleteLies === true) return answer(200)
    node.deletedAt = Date.now()
    for (const thing of things) thing.members = thing.members.filter((member) => member !== id)
    return answer(200)
  }

  /** A node that boots without its script fails. */
  function removeThing(id: string): Answer {
    for (const thing of things.filter((one) => one.id === id)) {
      thing.deletedAt = Date.now()
      if (thing.kind !== 'init-script') continue
      for (const node of standing()) {
        if (node.owner.group === thing.name && Date.now() < node.readyAt) node.fails = true
      }
    }
    return answer(200)
  }

  function act({ path, token, request }: Exchange): Answer {
    if (Math.abs(clockOffsetMs) > TOLERATED_SKEW_MS) return answer(401, { code: 'SKEW' })
    if (path === '/login') {
      if (request !== MEMORY_KEY) return answer(401, { code: 'WRONG_KEY' })
      const issued = newId('token')
      tokens.set(issued, behaviour.tokenTtlMs === null ? NEVER : Date.now() + behaviour.tokenTtlMs)
      return answer(200, { token: issued })
    }
    if ((tokens.get(token ?? '') ?? 0) <= Date.now()) return answer(401, { code: 'TOKEN' })
    const route = routes[path]
    return route === undefined ? answer(404) : route(request as never) // each route knows its own request
  }

  function strike(path: string): Fault | null {
    const entry = faults.find(({ fault, left }) => left > 0 && new RegExp(fault.match.path ?? '').test(path))
    if (entry === undefined) return null
    entry.left -= 1
    return entry.fault
  }

  const entry = ({ id, name, deletedAt }: StoredNode | StoredThing) => ({
    id,
    name,
    deletedAt: deletedAt === null ? null : new Date(deletedAt).toISOString(),
  })

  return {
    exchange: (call) =>
      untilEnded(
        call.signal,
        deliver(strike(call.path), () => act(call)),
      ),
    sandbox: {
      calls: { create: { path: '^/create$' }, list: { path: '^/list$' }, remove: { path: '^/remove$' } },
      async setFaults(list) {
        faults = list.map((fault) => ({ fault, left: fault.times ?? NEVER }))
      },
      async setBehaviour(change) {
        Object.assign(behaviour, Object.keys(change).length === 0 ? BEST_DAY : change)
      },
      async setClock(offsetMs) {
        clockOffsetMs = offsetMs
      },
      ledger: async () => ({
        nodes: nodes.map(entry),
        others: things.map((thing) => ({ ...entry(thing), kind: thing.kind })),
      }),
    },
  }
}

async function deliver(fault: Fault | null, act: () => Answer): Promise<Answer> {
  await nextTurn()
  if (fault === null) return act()
  switch (fault.effect) {
    case 'drop-before':
    case 'reset-before':
      throw new ConnectionLost('before')
    case 'drop-after':
    case 'reset-after':
      act()
      throw new ConnectionLost('after')
    case 'black-hole':
      return await new Promise<never>(() => {})
    case 'delay':
      await pause(fault.delayMs ?? 0)
      return act()
    case 'slow-drip': {
      const late = act()
      await pause(fault.delayMs ?? 0, undefined, { ref: false })
      return late
    }
    case 'status':
      return { ...answer(fault.status ?? 503, fault.body), headers: fault.headers ?? {} }
    default: // malformed
      act()
      return answer(200, fault.body ?? '{"truncated": [')
  }
}

/** What was asked goes on at the operator; only the answer is not waited for. */
async function untilEnded(signal: AbortSignal, answering: Promise<Answer>): Promise<Answer> {
  const ended = Promise.withResolvers<never>()
  const onAbort = (): void => ended.reject(new ConnectionLost('ended'))
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([answering, ended.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
