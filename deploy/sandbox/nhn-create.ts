/** `POST /servers`: quota, then stock, then the servers with their root disks; answers the first of them only. */
import { randomBytes, randomInt, randomUUID } from 'node:crypto'
import { takeBuildFailure } from './behaviour.ts'
import type { SandboxRequest, SandboxResponse } from './harness.ts'
import { CreateServers, planServers } from './nhn-create-request.ts'
import type { ServerPlan } from './nhn-create-request.ts'
import { nextAddress, ZONES } from './nhn-records.ts'
import type { Image, Nic, NhnWorld, ServerRecord } from './nhn-records.ts'
import { isGone } from './nhn-server-state.ts'
import { answer, bodyAs, fault, linksOf, NhnRefusal } from './nhn-wire.ts'

const NO_HOST = 'No valid host was found. There are not enough hosts available.'
/** Parts of the boot time after which a build without a host, or without a disk, ends. */
const NO_HOST_AT = 0.1
const NO_DISK_AT = 0.5

export function createServers(world: NhnWorld, request: SandboxRequest): SandboxResponse {
  const plan = planServers(world, bodyAs(request, CreateServers))
  const count = withinQuota(world, plan)
  const free = world.freeNodes()
  // Without a host for one of them, the whole request fails.
  const hosted = free === null || count <= free
  const reservationId = `r-${randomBytes(4).toString('hex')}`
  const made = Array.from({ length: count }, (_, index) => {
    const name =
      count === 1 ? plan.name : `${plan.name}${world.behaviour.batchSuffix === 'dash' ? '-' : ''}${index + 1}`
    return build(world, { plan, name, reservationId, hosted })
  })
  if (plan.wantsReservationId) return answer(202, { reservation_id: reservationId })
  const first = made[0] as ServerRecord // count is at least 1
  const response = answer(202, {
    server: {
      id: first.id,
      links: linksOf('servers', first.id),
      security_groups: plan.securityGroups.map((name) => ({ name })),
      'OS-DCF:diskConfig': 'MANUAL',
      adminPass: randomBytes(6).toString('base64url'),
    },
  })
  return { ...response, headers: { ...response.headers, location: `${request.baseUrl}${request.path}/${first.id}` } }
}

/** How many can be made: fewer than `maxCount` where the quota has room for `minCount` only. */
function withinQuota(world: NhnWorld, { minCount, maxCount }: ServerPlan): number {
  const quota = world.behaviour.quotaNodes
  if (quota === null) return maxCount
  const nowMs = world.now()
  // A failed server counts until it is deleted.
  const used = world.servers.values().filter((server) => !isGone(server, nowMs)).length
  if (used + minCount > quota) {
    const message = `Quota exceeded for instances: Requested ${minCount}, but already used ${used} of ${quota} instances`
    throw new NhnRefusal(world.behaviour.quotaStatus === 413 ? fault(413, message, '0') : fault(403, message))
  }
  return Math.min(maxCount, quota - used)
}

interface Build {
  readonly plan: ServerPlan
  readonly name: string
  readonly reservationId: string
  readonly hosted: boolean
}

function build(world: NhnWorld, { plan, name, reservationId, hosted }: Build): ServerRecord {
  const nowMs = world.now()
  const bootMs = world.bootMs()
  const id = randomUUID()
  const zone = plan.zone ?? (ZONES[randomInt(ZONES.length)] as string) // an index below the length
  const volumeIds = hosted ? plan.volumes.map((volume) => buildVolume(world, { ...volume, zone, serverId: id })) : []
  const server: ServerRecord = {
    id,
    name,
    reservationId,
    createdAtMs: nowMs,
    readyAtMs: nowMs + bootMs,
    failure: failureOf(world, { hosted, id, volumeId: volumeIds[0] ?? '' }),
    zone,
    flavorId: plan.flavor.id,
    imageRef: plan.imageRef,
    keyName: plan.keyName,
    serverGroupId: plan.serverGroupId,
    securityGroups: plan.securityGroups,
    nics: plan.nics.map((nic) => buildNic(world, nic)),
    volumeIds,
    metadata: { ...metadataOf(plan.image, plan.volumes[0]?.sizeGb ?? 0), ...plan.metadata },
    protect: plan.protect,
    change: null,
    editedAtMs: nowMs,
    deletion: null,
  }
  world.servers.set(id, server)
  world.ledger.made({ kind: 'node', id, name, atMs: nowMs, onHardware: server.failure === null })
  return server
}

function failureOf(
  world: NhnWorld,
  { hosted, id, volumeId }: { readonly hosted: boolean; readonly id: string; readonly volumeId: string },
): ServerRecord['failure'] {
  const nowMs = world.now()
  if (!hosted) return { atMs: nowMs + world.bootMs() * NO_HOST_AT, message: NO_HOST }
  if (!takeBuildFailure(world.behaviour)) return null
  const message = `Build of instance ${id} aborted: Volume ${volumeId} did not finish being created even after we waited 187 seconds or 61 attempts. And its status is creating.`
  return { atMs: nowMs + world.bootMs() * NO_DISK_AT, message }
}

function buildNic(world: NhnWorld, { network, port }: ServerPlan['nics'][number]): Nic {
  const { address, mac } = port ?? nextAddress(world, network)
  return {
    portId: port?.id ?? randomUUID(),
    networkId: network.id,
    subnetId: network.subnetId,
    address,
    mac,
    ownedByServer: port === null,
  }
}

function buildVolume(
  world: NhnWorld,
  volume: ServerPlan['volumes'][number] & { readonly zone: string; readonly serverId: string },
): string {
  const id = randomUUID()
  const nowMs = world.now()
  world.volumes.set(id, { ...volume, id, createdAtMs: nowMs, deletion: null })
  world.ledger.made({ kind: 'volume', id, name: '', atMs: nowMs })
  return id
}

const metadataOf = ({ name, description, properties }: Image, sizeGb: number): Record<string, string> => ({
  ...Object.fromEntries(Object.entries(properties).filter(([key]) => !key.startsWith('nhncloud_'))),
  image_name: name,
  description,
  volume_size: String(sizeGb),
})
