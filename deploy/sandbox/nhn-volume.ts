/** NHN's block storage (Cinder v2): the volumes that servers brought along, and what is left of them. */
import type { SandboxResponse } from './harness.ts'
import type { NhnWorld, ServerRecord, VolumeRecord } from './nhn-records.ts'
import { IMAGES, VOLUME_TYPES } from './nhn-records.ts'
import { isGone, stateOf } from './nhn-server-state.ts'
import { answer, fault, linksOf, microseconds, pageOf, refuse, route } from './nhn-wire.ts'
import type { Route } from './nhn-wire.ts'
import { NHN } from './settings.ts'

const NOT_FREE =
  'Invalid volume: Volume status must be available or error or error_restoring or error_extending or error_managing and must not be migrating, attached, belong to a group, have snapshots or be disassociated from snapshots after volume transfer.'

export const volumeRoutes = (world: NhnWorld): readonly Route[] => [
  route('GET', '/volumes', ({ query }) =>
    list(world, query, ({ id }) => ({ id, name: '', links: linksOf('volumes', id) })),
  ),
  route('GET', '/volumes/detail', ({ query }) => list(world, query, (volume) => inDetail(world, volume))),
  route('GET', '/volumes/:id', (_request, parameter) =>
    answer(200, { volume: inDetail(world, existing(world, parameter('id'))) }),
  ),
  route('DELETE', '/volumes/:id', (_request, parameter) => remove(world, existing(world, parameter('id')))),
  route('GET', '/types', () =>
    answer(200, { volume_types: VOLUME_TYPES.map((name) => ({ id: name, name, is_public: true, extra_specs: {} })) }),
  ),
]

const exists = (volume: VolumeRecord, nowMs: number): boolean =>
  volume.deletion === null || volume.deletion.goneAtMs > nowMs

function list(world: NhnWorld, query: URLSearchParams, shown: (volume: VolumeRecord) => object): SandboxResponse {
  const nowMs = world.now()
  const status = query.get('status')
  const name = query.get('name')
  const all = world.volumes
    .values()
    .filter(
      (volume) =>
        exists(volume, nowMs) &&
        (status === null || statusOf(world, volume) === status) &&
        (name === null || name === ''),
    )
    .toSorted((a, b) => b.createdAtMs - a.createdAtMs || (a.id < b.id ? 1 : -1))
  return answer(200, { volumes: pageOf(all, query).items.map(shown) })
}

function existing(world: NhnWorld, id: string): VolumeRecord {
  const volume = world.volumes.get(id)
  if (volume !== undefined && exists(volume, world.now())) return volume
  throw refuse(404, `Volume ${id} could not be found.`)
}

/** The server that it still hangs on; none once that is gone. */
function serverOf(world: NhnWorld, volume: VolumeRecord): ServerRecord | null {
  const server = world.servers.get(volume.serverId)
  return server === undefined || isGone(server, world.now()) ? null : server
}

function statusOf(world: NhnWorld, volume: VolumeRecord): string {
  const server = serverOf(world, volume)
  if (server === null) return volume.deletion === null ? 'available' : 'deleting'
  const { status, progress } = stateOf(server, world.now())
  if (status === 'ERROR') return 'error'
  return progress < 1 ? 'creating' : 'in-use'
}

function inDetail(world: NhnWorld, volume: VolumeRecord): object {
  const server = serverOf(world, volume)
  const status = statusOf(world, volume)
  const image = IMAGES.find(({ id }) => id === volume.imageId)
  return {
    id: volume.id,
    name: '',
    description: '',
    status,
    size: volume.sizeGb,
    volume_type: volume.type,
    availability_zone: volume.zone,
    created_at: microseconds(volume.createdAtMs),
    bootable: String(image !== undefined),
    encrypted: volume.type.startsWith('Encrypted'),
    multiattach: false,
    metadata: {},
    snapshot_id: null,
    source_volid: null,
    'os-vol-tenant-attr:tenant_id': NHN.tenantId,
    links: linksOf('volumes', volume.id),
    attachments:
      server === null || status !== 'in-use'
        ? []
        : [{ id: volume.id, volume_id: volume.id, server_id: server.id, device: '/dev/vda', attachment_id: volume.id }],
    ...(image === undefined
      ? {}
      : { volume_image_metadata: { image_id: image.id, image_name: image.name, ...image.properties } }),
  }
}

function remove(world: NhnWorld, volume: VolumeRecord): SandboxResponse {
  const status = statusOf(world, volume)
  if (status === 'deleting') return answer(202)
  if (status !== 'available' && status !== 'error') return fault(400, NOT_FREE)
  const askedAtMs = world.now()
  const deletion = { askedAtMs, goneAtMs: askedAtMs + world.stopMs() }
  world.volumes.set(volume.id, { ...volume, deletion })
  world.ledger.gone('volume', volume.id, deletion.goneAtMs)
  return answer(202)
}
