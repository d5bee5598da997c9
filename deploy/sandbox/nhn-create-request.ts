/** What `POST /servers` may contain, and Nova's refusals of what it may not. Nothing is made here. */
import { z } from 'zod'
import { FLAVORS, IMAGE_MIN_DISK_GB, IMAGES, NETWORKS, VOLUME_TYPES, ZONES } from './nhn-records.ts'
import type { Flavor, Image, Network, NhnWorld, PortRecord } from './nhn-records.ts'
import { refuse } from './nhn-wire.ts'
import { NHN } from './settings.ts'

const MAX_SERVERS_PER_CALL = 10
const MAX_USER_DATA_CHARACTERS = 65_535
const MAX_VOLUME_GB = 2_000

const Count = z.coerce.number().pipe(z.int().min(1))
/** A switch as Nova reads it: the operator's own page sends a number, other clients a text. */
const Flag = z
  .union([z.boolean(), z.literal([0, 1]), z.literal(['0', '1', 'true', 'True', 'false', 'False'])])
  .transform((value) => /^(true|1)$/i.test(String(value)))
const ShortText = z.string().max(255)

const BlockDevice = z.object({
  source_type: z.enum(['image', 'blank', 'volume', 'snapshot']),
  uuid: z.string().optional(),
  boot_index: z.coerce.number().pipe(z.int()).optional(),
  destination_type: z.enum(['local', 'volume']).optional(),
  volume_type: z.string().optional(),
  volume_size: z.coerce.number().pipe(z.int().min(0)).optional(),
  delete_on_termination: Flag.default(false),
})
type BlockDevice = z.infer<typeof BlockDevice>

export const CreateServers = z.object({
  server: z.object({
    name: z.string().min(1).max(255),
    flavorRef: z.string(),
    imageRef: z.string().optional(),
    networks: z
      .array(
        z.object({
          uuid: z.string().optional(),
          subnet: z.string().optional(),
          port: z.string().optional(),
          fixed_ip: z.string().optional(),
        }),
      )
      .min(1),
    key_name: z.string(),
    availability_zone: z.string().optional(),
    block_device_mapping_v2: z.array(BlockDevice).optional(),
    security_groups: z.array(z.object({ name: z.string() })).optional(),
    user_data: z.string().optional(),
    metadata: z.record(ShortText.min(1), ShortText).default({}),
    min_count: Count.optional(),
    max_count: Count.optional(),
    return_reservation_id: Flag.default(false),
    'NHN-EXT-ATTR:protect': Flag.default(false),
  }),
  'os:scheduler_hints': z.object({ group: z.string().optional() }).optional(),
})
type Asked = z.infer<typeof CreateServers>['server']

export interface PlannedVolume {
  readonly sizeGb: number
  readonly type: string
  readonly imageId: string | null
  readonly deleteOnTermination: boolean
}

/** A request that Nova takes, with everything that it names looked up. */
export interface ServerPlan {
  readonly name: string
  readonly flavor: Flavor
  readonly image: Image
  readonly imageRef: string | null
  readonly nics: readonly { readonly network: Network; readonly port: PortRecord | null }[]
  readonly keyName: string
  readonly serverGroupId: string | null
  /** Null: each server may land anywhere. */
  readonly zone: string | null
  readonly volumes: readonly PlannedVolume[]
  readonly securityGroups: readonly string[]
  readonly metadata: Readonly<Record<string, string>>
  readonly protect: boolean
  readonly minCount: number
  readonly maxCount: number
  readonly wantsReservationId: boolean
}

export function planServers(world: NhnWorld, request: z.infer<typeof CreateServers>): ServerPlan {
  const { server: asked, 'os:scheduler_hints': hints } = request
  const flavor = FLAVORS.find(({ id }) => id === asked.flavorRef)
  if (flavor === undefined) throw refuse(400, 'Invalid flavorRef provided.')
  if (!world.keypairs.has(asked.key_name)) throw refuse(400, 'Invalid key_name provided.')
  if (asked.availability_zone !== undefined && !ZONES.includes(asked.availability_zone)) {
    throw refuse(400, 'The requested availability zone is not available')
  }
  const serverGroupId = hints?.group ?? null
  if (serverGroupId !== null && !world.serverGroups.has(serverGroupId))
    throw refuse(400, `Instance group ${serverGroupId} could not be found.`)
  const counts = countsOf(asked)
  checkUserData(asked.user_data)
  return {
    name: asked.name,
    flavor,
    ...bootOf(world, asked, counts.maxCount),
    imageRef: asked.imageRef ?? null,
    nics: nicsOf(world, asked, counts.maxCount),
    keyName: asked.key_name,
    serverGroupId,
    zone: asked.availability_zone ?? null,
    securityGroups: securityGroupsOf(asked),
    metadata: asked.metadata,
    protect: asked['NHN-EXT-ATTR:protect'],
    ...counts,
    wantsReservationId: asked.return_reservation_id,
  }
}

function countsOf(asked: Asked): { minCount: number; maxCount: number } {
  const minCount = asked.min_count ?? 1
  const maxCount = asked.max_count ?? minCount
  if (minCount > maxCount) throw refuse(400, 'min_count must be <= max_count')
  if (maxCount > MAX_SERVERS_PER_CALL) throw refuse(400, `max_count must be <= ${MAX_SERVERS_PER_CALL}`)
  return { minCount, maxCount }
}

function checkUserData(userData: string | undefined): void {
  if (userData === undefined) return
  if (userData.length > MAX_USER_DATA_CHARACTERS) {
    throw refuse(
      400,
      `User data too large. User data must be no larger than ${MAX_USER_DATA_CHARACTERS} bytes once base64 encoded. Your data is ${userData.length} bytes`,
    )
  }
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(userData)) throw refuse(400, 'User data needs to be valid base 64.')
}

function nicsOf(world: NhnWorld, asked: Asked, count: number): ServerPlan['nics'] {
  return asked.networks.map(({ uuid, subnet, port: portId }) => {
    const port = portId === undefined ? null : world.ports.get(portId)
    if (port === undefined) throw refuse(400, `Port ${portId} could not be found.`)
    if (port !== null && count > 1) {
      throw refuse(
        400,
        'Unable to launch multiple instances with a single configured port ID. Please launch your instance one by one with different ports.',
      )
    }
    const network = NETWORKS.find(({ id, subnetId }) => id === (port?.networkId ?? uuid) || subnetId === subnet)
    if (network === undefined) throw refuse(400, `Network ${uuid ?? subnet ?? ''} could not be found.`)
    return { network, port }
  })
}

function securityGroupsOf(asked: Asked): string[] {
  const names = asked.security_groups?.map(({ name }) => name) ?? [NHN.securityGroup]
  const unknown = names.find((name) => name !== NHN.securityGroup)
  if (unknown !== undefined) throw refuse(400, `Unable to find security_group with name or id '${unknown}'`)
  return names
}

/** The root disk and the others, and the image that the root comes from. */
function bootOf(world: NhnWorld, asked: Asked, count: number): { image: Image; volumes: PlannedVolume[] } {
  const strict = world.behaviour.blockDeviceRule === 'strict'
  const devices = asked.block_device_mapping_v2 ?? []
  const root = devices.find((device) => device.boot_index === 0)
  if (root === undefined && (strict || asked.imageRef === undefined)) {
    throw refuse(400, 'Missing Block Device Mapping attribute')
  }
  if (asked.imageRef !== undefined) findImage(asked.imageRef)
  if (devices.some((device) => device.source_type === 'volume' || device.source_type === 'snapshot')) {
    const several = count > 1 ? 'Cannot attach one or more volumes to multiple instances' : null
    throw refuse(400, several ?? `Block Device Mapping is Invalid: failed to get volume ${root?.uuid ?? ''}.`)
  }
  if (root?.source_type === 'blank')
    throw refuse(400, 'Block Device Mapping is Invalid: the boot device cannot be blank.')
  const image = findImage(root?.uuid ?? asked.imageRef ?? '')
  const local = devices.find((device) => device.destination_type === 'local')
  if (strict && local !== undefined) {
    throw refuse(403, 'Only volume-backed servers are allowed for flavors with zero disk.')
  }
  return {
    image,
    volumes: devices.filter((device) => device.destination_type !== 'local').map((device) => volumeOf(device, image)),
  }
}

function findImage(id: string): Image {
  const image = IMAGES.find((candidate) => candidate.id === id)
  if (image === undefined) throw refuse(400, 'Can not find requested image')
  return image
}

function volumeOf(device: BlockDevice, image: Image): PlannedVolume {
  const { volume_size: sizeGb = 0, volume_type: type = NHN.volumeType } = device
  const invalid = (why: string) => refuse(400, `Block Device Mapping is Invalid: ${why}`)
  if (sizeGb === 0) throw invalid("Images with destination_type 'volume' need to have a non-zero size specified")
  if (device.boot_index === 0 && sizeGb < IMAGE_MIN_DISK_GB) {
    throw invalid(`Volume size ${sizeGb}GB cannot be smaller than the image minDisk size ${IMAGE_MIN_DISK_GB}GB.`)
  }
  if (sizeGb > MAX_VOLUME_GB) throw invalid(`Volume size ${sizeGb}GB is more than ${MAX_VOLUME_GB}GB.`)
  if (!VOLUME_TYPES.includes(type)) throw invalid(`Volume type ${type} could not be found.`)
  return {
    sizeGb,
    type,
    imageId: device.source_type === 'image' ? image.id : null,
    deleteOnTermination: device.delete_on_termination,
  }
}
