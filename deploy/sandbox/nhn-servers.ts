/** Nova's servers: lists, detail, metadata, renaming and deletion. */
import { z } from 'zod'
import { takeDeleteLie } from './behaviour.ts'
import type { SandboxRequest, SandboxResponse } from './harness.ts'
import { createServers } from './nhn-create.ts'
import type { NhnWorld, ServerRecord } from './nhn-records.ts'
import { actOnServer } from './nhn-actions.ts'
import { briefly, floatingByPort, inDetail, isGone, stateOf } from './nhn-server-state.ts'
import { answer, bodyAs, fault, nextLink, pageOf, refuse, route } from './nhn-wire.ts'
import type { Route } from './nhn-wire.ts'

const ShortText = z.string().max(255)
const MetadataItem = z.object({ meta: z.record(ShortText, ShortText) })
const Metadata = z.object({ metadata: z.record(ShortText, ShortText) })
const Renaming = z.object({ server: z.object({ name: z.string().min(1).max(255) }) })

/** Gone servers are remembered for `changes-since`, until there are more than so many records and they are old. */
const FORGET_FROM = 5_000
const REMEMBER_GONE_MS = 3_600_000

export const serverRoutes = (world: NhnWorld): readonly Route[] => [
  route('GET', '/servers', (request) => list(world, request, 'brief')),
  route('GET', '/servers/detail', (request) => list(world, request, 'detail')),
  route('POST', '/servers', (request) => {
    forgetLongGone(world)
    return createServers(world, request)
  }),
  route('GET', '/servers/:id', (_request, parameter) => shown(world, visibleServer(world, parameter('id')))),
  route('PUT', '/servers/:id', (request, parameter) => {
    const { name } = bodyAs(request, Renaming).server
    return shown(world, edit(world, existingServer(world, parameter('id')), { name }))
  }),
  route('DELETE', '/servers/:id', (_request, parameter) => remove(world, existingServer(world, parameter('id')))),
  route('POST', '/servers/:id/action', (request, parameter) =>
    actOnServer(world, existingServer(world, parameter('id')), request),
  ),
  route('GET', '/servers/:id/os-volume_attachments', (_request, parameter) => {
    const { id: serverId, volumeIds } = visibleServer(world, parameter('id'))
    const volumeAttachments = volumeIds.map((id) => ({ id, volumeId: id, serverId, device: '/dev/vda' }))
    return answer(200, { volumeAttachments })
  }),
  ...metadataRoutes(world),
]

const metadataRoutes = (world: NhnWorld): readonly Route[] => [
  route('GET', '/servers/:id/metadata', (_request, parameter) =>
    answer(200, { metadata: visibleServer(world, parameter('id')).metadata }),
  ),
  route('POST', '/servers/:id/metadata', (request, parameter) => {
    const server = existingServer(world, parameter('id'))
    const metadata = { ...server.metadata, ...bodyAs(request, Metadata).metadata }
    return answer(200, { metadata: edit(world, server, { metadata }).metadata })
  }),
  route('PUT', '/servers/:id/metadata', (request, parameter) => {
    const { metadata } = bodyAs(request, Metadata)
    return answer(200, { metadata: edit(world, existingServer(world, parameter('id')), { metadata }).metadata })
  }),
  route('GET', '/servers/:id/metadata/:key', (_request, parameter) => {
    const value = visibleServer(world, parameter('id')).metadata[parameter('key')]
    return value === undefined ? NO_ITEM() : answer(200, { meta: { [parameter('key')]: value } })
  }),
  route('PUT', '/servers/:id/metadata/:key', (request, parameter) => {
    const { meta } = bodyAs(request, MetadataItem)
    if (Object.keys(meta).join() !== parameter('key')) return fault(400, 'Request body and URI mismatch')
    const server = existingServer(world, parameter('id'))
    edit(world, server, { metadata: { ...server.metadata, ...meta } })
    return answer(200, { meta })
  }),
  route('DELETE', '/servers/:id/metadata/:key', (_request, parameter) => {
    const server = existingServer(world, parameter('id'))
    const { [parameter('key')]: value, ...metadata } = server.metadata
    if (value === undefined) return NO_ITEM()
    edit(world, server, { metadata })
    return answer(204)
  }),
]

const NO_ITEM = (): SandboxResponse => fault(404, 'Metadata item was not found')

function list(world: NhnWorld, request: SandboxRequest, depth: 'brief' | 'detail'): SandboxResponse {
  const { query } = request
  const nowMs = world.now()
  const keep = filterOf(query, nowMs)
  const marker = query.get('marker')
  const all = world.servers
    .values()
    // The marker may have gone since its page was read.
    .filter((server) => server.id === marker || (world.visible(server.createdAtMs) && keep(server)))
    .toSorted((a, b) => b.createdAtMs - a.createdAtMs || (a.id < b.id ? 1 : -1))
  const { items, next } = pageOf(all, query)
  const floating = floatingByPort(world)
  const servers = items.map((server) => (depth === 'brief' ? briefly(server) : inDetail(world, server, floating)))
  const collection = depth === 'brief' ? 'servers' : 'servers/detail'
  return answer(200, { servers, ...(next === null ? {} : { servers_links: [nextLink(collection, query, next)] }) })
}

/** Keys that Nova does not know for an ordinary user (metadata among them) are dropped without a word. */
function filterOf(query: URLSearchParams, nowMs: number): (server: ServerRecord) => boolean {
  const name = regexOf(query.get('name'))
  const since = instantOf(query.get('changes-since'))
  const [status, flavor, image, reservation] = ['status', 'flavor', 'image', 'reservation_id'].map((key) =>
    query.get(key),
  )
  return (server) => {
    const state = stateOf(server, nowMs)
    if (since === null ? state.status === 'DELETED' : state.updatedAtMs < since) return false
    if (name !== null && !name.test(server.name)) return false
    if (typeof status === 'string' && status.toUpperCase() !== state.status) return false
    if (typeof flavor === 'string' && flavor !== server.flavorId) return false
    if (typeof image === 'string' && image !== server.imageRef) return false
    return typeof reservation !== 'string' || reservation === server.reservationId
  }
}

function regexOf(text: string | null): RegExp | null {
  if (text === null) return null
  try {
    return new RegExp(text, 'i') // its database compares without case
  } catch {
    throw refuse(400, `Invalid regular expression in name: ${text}`)
  }
}

function instantOf(text: string | null): number | null {
  if (text === null) return null
  // NHN's form has no zone and means UTC.
  const atMs = Date.parse(/[zZ]|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}Z`)
  if (Number.isNaN(atMs)) throw refuse(400, `Invalid changes-since value: ${text}`)
  return atMs
}

const shown = (world: NhnWorld, server: ServerRecord): SandboxResponse =>
  answer(200, { server: inDetail(world, server, floatingByPort(world)) })

function existingServer(world: NhnWorld, id: string): ServerRecord {
  const server = world.servers.get(id)
  if (server !== undefined && !isGone(server, world.now())) return server
  throw refuse(404, `Instance ${id} could not be found.`)
}

function visibleServer(world: NhnWorld, id: string): ServerRecord {
  const server = existingServer(world, id)
  if (!world.visible(server.createdAtMs)) throw refuse(404, `Instance ${id} could not be found.`)
  return server
}

function edit(world: NhnWorld, server: ServerRecord, change: Partial<ServerRecord>): ServerRecord {
  const edited = { ...server, ...change, editedAtMs: world.now() }
  world.servers.set(server.id, edited)
  return edited
}

function remove(world: NhnWorld, server: ServerRecord): SandboxResponse {
  if (server.protect) return fault(409, `Instance ${server.id} is protected from deletion`)
  if (server.deletion !== null || takeDeleteLie(world.behaviour)) return answer(204)
  const askedAtMs = world.now()
  const deletion = { askedAtMs, goneAtMs: askedAtMs + world.stopMs() }
  world.servers.set(server.id, { ...server, deletion })
  world.ledger.gone('node', server.id, deletion.goneAtMs)
  for (const volumeId of server.volumeIds) {
    const volume = world.volumes.get(volumeId)
    if (volume === undefined || !volume.deleteOnTermination) continue
    world.volumes.set(volumeId, { ...volume, deletion })
    world.ledger.gone('volume', volumeId, deletion.goneAtMs)
  }
  return answer(204)
}

function forgetLongGone(world: NhnWorld): void {
  if (world.servers.size < FORGET_FROM) return
  const before = world.now() - REMEMBER_GONE_MS
  for (const server of world.servers.values()) if (isGone(server, before)) world.servers.delete(server.id)
}
