/** What a new instance must look like: the schema of `POST /instances`, and the rules that the service checks. Pure. */
import { z } from 'zod'
import { MAX_COUNT } from './kakao-knobs.ts'
import { FLAVORS, IMAGES, SUBNETS, VOLUME_TYPES, ZONES } from './kakao-seed.ts'
import type { Flavor, Image, Subnet } from './kakao-seed.ts'
import { ServiceRefusal } from './kakao-wire.ts'

const NewVolume = z.object({
  size: z.int(),
  source_type: z.enum(['image', 'blank', 'volume']).nullish(),
  uuid: z.string().nullish(),
  type_id: z.string().nullish(),
  is_delete_on_termination: z.boolean().nullish(),
  encryption_secret_id: z.string().nullish(),
  encryption_secret_uuid: z.string().nullish(),
})

const NewSubnet = z.object({
  id: z.guid(),
  network_interface_id: z.guid().nullish(),
  private_ip: z.string().nullish(),
})

export const CreateInstance = z.object({
  instance: z.object({
    name: z.string(),
    description: z.string().nullish(),
    count: z.int().nullish(),
    image_id: z.guid(),
    flavor_id: z.guid(),
    availability_zone: z.string().nullish(),
    subnets: z.array(NewSubnet),
    /** The key must be there, if only with null. */
    volumes: z.array(NewVolume).nullable(),
    key_name: z.string().nullish(),
    security_groups: z.array(z.object({ name: z.string() })).nullable(),
    user_data: z.string().nullish(),
    is_disable_hyper_threading: z.boolean().nullish(),
    is_bonding: z.boolean().nullish(),
  }),
})
export type NewInstance = z.infer<typeof CreateInstance>['instance']

/** What the request's ids stand for. */
export interface Parts {
  readonly flavor: Flavor
  readonly image: Image
  readonly subnets: readonly Subnet[]
  readonly zone: string
}

const MAX_USER_DATA_BYTES = 16 * 1024
const MAX_DESCRIPTION = 100
const MAX_VOLUME_GB = 16_384

/** @throws ServiceRefusal 400 with the rule that is broken */
export function checkNewInstance(asked: NewInstance): Parts {
  checkName(asked.name)
  checkDescription(asked.description ?? null)
  const flavor = found(FLAVORS, asked.flavor_id, 'flavor')
  const image = found(IMAGES, asked.image_id, 'image')
  must(asked.subnets.length > 0, 'subnets: at least one is required')
  const subnets = asked.subnets.map(({ id }) => found(SUBNETS, id, 'subnet'))
  const zone = zoneFor(asked, flavor, subnets)
  const count = asked.count ?? 1
  must(count >= 1 && count <= MAX_COUNT, `count: must be between 1 and ${MAX_COUNT}`)
  checkInterfaces(asked)
  checkImage(flavor, image)
  checkVolumes(asked, flavor, image)
  must(asked.is_bonding !== true || flavor.instanceType === 'bm', 'is_bonding: for bare metal only')
  checkUserData(asked.user_data ?? null)
  return { flavor, image, subnets, zone }
}

export function checkName(name: string): void {
  must(
    /^[A-Za-z0-9](?:[A-Za-z0-9]|[-_](?![-_])){2,61}[A-Za-z0-9]$/.test(name),
    'name: 4 to 63 letters, digits, - and _, beginning and ending with a letter or digit, no two symbols together',
  )
}

export function checkDescription(description: string | null): void {
  if (description === null) return
  must(description.length <= MAX_DESCRIPTION, `description: at most ${MAX_DESCRIPTION} characters`)
  must(/^[\x20-\x7e가-힣ㄱ-ㆎ]*$/.test(description), 'description: holds a character that is not allowed')
}

function zoneFor({ availability_zone: asked }: NewInstance, flavor: Flavor, subnets: readonly Subnet[]): string {
  const zone = asked ?? subnets[0]?.zone ?? ''
  must((ZONES as readonly string[]).includes(zone), `availability_zone: ${zone} does not exist`)
  const elsewhere = subnets.find((subnet) => subnet.zone !== zone)
  must(elsewhere === undefined, `subnet ${elsewhere?.id} is not in ${zone}`)
  must(flavor.zones.includes(zone), `flavor ${flavor.name} is not available in ${zone}`)
  return zone
}

function checkInterfaces({ subnets, security_groups: groups, count }: NewInstance): void {
  for (const subnet of subnets) {
    const own = subnet.network_interface_id ?? null
    const address = subnet.private_ip ?? null
    must(own === null || address === null, 'subnets: network_interface_id and private_ip exclude each other')
    must(address === null || (count ?? 1) === 1, 'subnets: private_ip is for a single instance')
    // Interfaces are made with their instances here, so none is ever free to be taken.
    must(own === null, `network interface ${own} is not available`)
  }
  must(groups === null || groups.length > 0, 'security_groups: must not be empty')
}

function checkImage(flavor: Flavor, image: Image): void {
  const wanted = flavor.instanceType === 'bm' ? 'bm' : 'vm'
  must(image.instanceType === wanted, `image ${image.name} does not suit a ${flavor.instanceType} instance type`)
  must(
    flavor.instanceType !== 'gpu' || image.name.includes('nvidia'),
    `image ${image.name} does not suit a gpu instance type`,
  )
}

function checkVolumes({ volumes }: NewInstance, flavor: Flavor, image: Image): void {
  if (flavor.instanceType === 'bm') {
    must(volumes === null, 'volumes: not for bare metal')
    return
  }
  must(volumes !== null && volumes.length > 0, 'volumes: a root volume is required')
  for (const [index, volume] of (volumes ?? []).entries()) {
    const source = volume.source_type ?? (index === 0 ? 'image' : 'blank')
    const least = source === 'image' ? Math.max(1, image.minDiskGb) : 1
    must(volume.size >= least && volume.size <= MAX_VOLUME_GB, `volumes: size must be ${least} to ${MAX_VOLUME_GB}`)
    must(source !== 'volume', 'volumes: starting from an existing volume is not possible here')
    const type = volume.type_id ?? null
    must(type === null || VOLUME_TYPES.some(({ id }) => id === type), `volumes: type ${type} does not exist`)
  }
}

function checkUserData(userData: string | null): void {
  if (userData === null) return
  const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
  must(base64.test(userData), 'user_data: must be base64')
  must(Buffer.from(userData, 'base64').length <= MAX_USER_DATA_BYTES, 'user_data: at most 16 KB')
}

function found<T extends { readonly id: string }>(known: readonly T[], id: string, noun: string): T {
  const match = known.find((item) => item.id === id)
  if (match === undefined) throw new ServiceRefusal(400, `${noun} ${id} could not be found`)
  return match
}

function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new ServiceRefusal(400, otherwise)
}
