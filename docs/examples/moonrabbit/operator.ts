/**
 * Moonrabbit Cloud, a fourth operator that nobody has: the least server that keeps the provider contract over HTTP, written
 * from docs/remote-provider.openapi.json. Each route below is one call of the contract. The harness of the sandbox in front
 * of it listens, and lets a run of the conformance kit cut, delay and garble answers.
 */
import type {
  OperatorContext,
  OperatorSetup,
  SandboxRequest,
  SandboxResponse,
} from '../../../deploy/sandbox/harness.ts'
import { type Client, openDoor } from './door.ts'
import { type NodeRecord, type Shortage, type Stock, openStock } from './stock.ts'
import {
  DeletionBody,
  GroupBody,
  JoinBody,
  LeaveBody,
  ListQuery,
  Refusal,
  SearchBody,
  SweepBody,
  bodyAs,
  checked,
  ok,
  problem,
} from './wire.ts'

const CLUSTER = { clusterId: 'moonrabbit-b200-32', images: ['mr-ubuntu-22.04'], networks: ['burrow'], problems: [] }
const NODES = 32
const MAX_BATCH = 8
const VISIBILITY_DELAY_MS = 200
const GROUP_PATH = /^\/v1\/groups\/([a-z0-9-]{1,63})$/

export const moonrabbit = (client: Client): OperatorSetup => ({
  name: 'moonrabbit',
  create(context) {
    const door = openDoor(client, context)
    const stock = openStock(context)
    return {
      handle(request) {
        try {
          if (request.method === 'POST' && request.path === '/token') return door.giveToken(request)
          return door.turnAway(request) ?? answer(request, stock, context)
        } catch (error) {
          if (error instanceof Refusal) return error.response
          throw error
        }
      },
      throttled: () =>
        problem(429, 'throttled', { code: 'MR-429', detail: 'too many calls', retryAfterMs: THROTTLED_PAUSE_MS }),
    }
  },
})

const THROTTLED_PAUSE_MS = 200

function answer(request: SandboxRequest, stock: Stock, context: OperatorContext): SandboxResponse {
  const group = GROUP_PATH.exec(request.path)?.[1]
  if (request.method === 'PUT' && group !== undefined) return createNodes(group, request, stock)
  switch (`${request.method} ${request.path}`) {
    case 'GET /v1/ping':
      return ok({})
    case 'GET /v1/description':
      return ok(DESCRIPTION)
    case 'GET /v1/nodes':
      return listNodes(request, stock)
    case 'GET /v1/nodes/others':
      return listOthers(request, stock)
    case 'POST /v1/nodes/find':
      return ok({ items: stock.find(bodyAs(SearchBody, request).nodeIds).map((node) => shown(node, stock)) })
    case 'POST /v1/nodes/delete':
      stock.remove(bodyAs(DeletionBody, request).nodeIds)
      return ok({})
    case 'POST /v1/fabric/join': {
      const { owner, nodeIds } = bodyAs(JoinBody, request)
      return ok({ settled: stock.join(owner, nodeIds) })
    }
    case 'POST /v1/fabric/leave':
      stock.leave(bodyAs(LeaveBody, request).owner)
      return ok({ settled: true })
    case 'POST /v1/leftovers/sweep': {
      const { installationId, allocationsEnded } = bodyAs(SweepBody, request)
      return ok({ items: stock.sweep(installationId, new Set(allocationsEnded)) })
    }
    case `GET /v1/clusters/${CLUSTER.clusterId}/free-capacity`:
      return ok({ freeNodes: context.freeNodes() ?? NODES })
    default:
      return problem(404, 'refused', { code: 'MR-404', detail: `there is no ${request.method} ${request.path}` })
  }
}

const DESCRIPTION = {
  contractVersion: 1,
  capabilities: {
    maxBatch: MAX_BATCH,
    visibilityDelayMs: VISIBILITY_DELAY_MS,
    reportsFreeCapacity: true,
    joinsFabric: true,
    listsOthers: true,
  },
  clusters: [CLUSTER],
}

function createNodes(name: string, request: SandboxRequest, stock: Stock): SandboxResponse {
  const group = { name, ...bodyAs(GroupBody, request) }
  const unknown = whatIsUnknown(group)
  if (unknown !== null) return problem(422, 'refused', { code: 'MR-422', detail: unknown })
  const strangers = stock.membersOf(name).filter(({ owner }) => owner.installationId !== group.owner.installationId)
  if (strangers.length > 0) return problem(409, 'refused', { code: 'MR-409', detail: 'the name is taken' })
  const made = stock.make(group)
  return typeof made === 'string' ? SHORTAGES[made] : ok({ items: made.map((node) => shown(node, stock)) })
}

function whatIsUnknown({ clusterId, image, network, size }: ReturnType<typeof GroupBody.parse>): string | null {
  if (clusterId !== CLUSTER.clusterId) return `there is no cluster ${clusterId}`
  if (!CLUSTER.images.includes(image)) return `there is no image ${image}`
  if (!CLUSTER.networks.includes(network)) return `there is no network ${network}`
  return size > MAX_BATCH ? `a group has at most ${MAX_BATCH} nodes` : null
}

const SHORTAGES: Readonly<Record<Shortage, SandboxResponse>> = {
  'quota-exceeded': problem(409, 'quota-exceeded', { code: 'MR-QUOTA', detail: 'the account may not have more nodes' }),
  'out-of-capacity': problem(409, 'out-of-capacity', { code: 'MR-FULL', detail: 'no node is free' }),
}

function listNodes(request: SandboxRequest, stock: Stock): SandboxResponse {
  const query = checked(ListQuery, Object.fromEntries(request.query))
  const { items, nextCursor } = pageOf(stock.listed(query.installationId, query.allocationId ?? null), query)
  return ok({ items: items.map((node) => shown(node, stock)), nextCursor })
}

/** Not where they answer, nor in which state they are: that is between their owners and us. */
function listOthers(request: SandboxRequest, stock: Stock): SandboxResponse {
  const query = checked(ListQuery.omit({ allocationId: true }), Object.fromEntries(request.query))
  const { items, nextCursor } = pageOf(stock.others(query.installationId), query)
  const other = ({ id, name, owner, clusterId, createdAtMs }: NodeRecord): object => {
    return { id, name, owner, clusterId, createdAt: new Date(createdAtMs).toISOString() }
  }
  return ok({ items: items.map(other), nextCursor })
}

function pageOf(nodes: readonly NodeRecord[], { cursor, limit }: { readonly cursor: string; readonly limit: number }) {
  const rest = nodes.filter(({ id }) => id > cursor)
  const items = rest.slice(0, limit)
  return { items, nextCursor: rest.length > items.length ? (items.at(-1)?.id ?? null) : null }
}

function shown(node: NodeRecord, stock: Stock): object {
  const state = stock.stateOf(node)
  const { id, name, owner, clusterId, address, createdAtMs } = node
  return {
    id,
    name,
    owner,
    clusterId,
    state,
    inFabric: stock.isJoined(node),
    address: state === 'ready' ? address : null,
    createdAt: new Date(createdAtMs).toISOString(),
    failure: state === 'failed' ? { code: 'MR-DUST', message: 'moon dust in a connector', kind: 'fault' } : null,
  }
}
