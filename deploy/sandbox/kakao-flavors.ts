/** Instance types: `GET /flavors`, with the only capacity signal of the public API, and how an instance shows its own. */
import type { SandboxResponse } from './harness.ts'
import { FLAVORS, FUTURE_ZONE, SEEDED_AT } from './kakao-seed.ts'
import type { Flavor } from './kakao-seed.ts'
import { look } from './kakao-state.ts'
import type { KakaoState } from './kakao-state.ts'
import { listAnswer, ServiceRefusal, stamp } from './kakao-wire.ts'
import type { FieldValue } from './kakao-wire.ts'
import { KAKAO } from './settings.ts'

const MIB_PER_GIB = 1_024
const MAX_INTERFACES = 8

export function listFlavors(state: KakaoState, query: URLSearchParams): SandboxResponse {
  const standing = standingByPlace(state)
  return listAnswer({
    noun: 'flavors',
    rows: FLAVORS,
    query,
    exact: [
      'id',
      'is_burstable',
      'vcpus',
      'architecture',
      'memory_mb',
      'instance_type',
      'instance_family',
      'instance_size',
      'manufacturer',
      'maximum_network_interfaces',
      'processor',
      'created_at',
      'updated_at',
    ],
    substring: ['name'],
    field: (flavor, name) => (listed(flavor) as Readonly<Record<string, FieldValue | undefined>>)[name],
    view: (flavor) => flavorView(flavor, state, standing),
  })
}

export function getFlavor(state: KakaoState, id: string): SandboxResponse {
  const flavor = FLAVORS.find((known) => known.id === id)
  if (flavor === undefined) throw new ServiceRefusal(404, `Flavor ${id} could not be found.`)
  return { status: 200, body: { flavor: flavorView(flavor, state, standingByPlace(state)) } }
}

/** Members that a flavor has both in lists and in an instance, and can be filtered by. */
function listed({ id, name, vcpus, memoryGib, instanceType, maker }: Flavor) {
  const [family = name, size = ''] = name.split('.')
  return {
    id,
    name,
    description: `${vcpus} vCPU, ${memoryGib} GiB`,
    instance_type: instanceType,
    instance_family: family,
    instance_size: size,
    group: null,
    vcpus,
    memory_mb: memoryGib * MIB_PER_GIB,
    architecture: 'x86_64',
    processor: family.includes('a') ? 'amd' : 'intel',
    manufacturer: maker,
    disk_type: instanceType === 'bm' ? 'local' : 'network',
    root_gb: instanceType === 'bm' ? 960 : 0,
    maximum_network_interfaces: MAX_INTERFACES,
    is_burstable: false,
    is_hyper_threading_disabled: false,
    is_hyper_threading_supported: true,
    is_hyper_threading_disable_supported: instanceType !== 'bm',
    created_at: stamp(SEEDED_AT),
    updated_at: stamp(SEEDED_AT),
  }
}

function flavorView(flavor: Flavor, state: KakaoState, standing: ReadonlyMap<string, number>): object {
  const { accelerator, zones } = flavor
  return {
    ...listed(flavor),
    os_distro: 'ubuntu',
    hw_type: accelerator?.type ?? null,
    hw_name: accelerator?.name ?? null,
    hw_count: accelerator?.count ?? 0,
    availability_zone: state.knobs.futureStrings ? [...zones, FUTURE_ZONE] : zones,
    available: flavor.instanceType === 'bm' ? available(flavor, state, standing) : {},
  }
}

/** Free bare-metal nodes per zone. */
function available(
  flavor: Flavor,
  { context, knobs }: KakaoState,
  standing: ReadonlyMap<string, number>,
): Readonly<Record<string, number>> {
  const free = flavor.id === KAKAO.flavorId ? context.freeNodes() : null
  return Object.fromEntries(
    flavor.zones.map((zone) => [
      knobs.availableKeys === 'underscore' ? zone.replaceAll('-', '_') : zone,
      free ?? Math.max(0, flavor.shownNodes - (standing.get(placeOf(flavor.id, zone)) ?? 0)),
    ]),
  )
}

const placeOf = (flavorId: string, zone: string): string => `${flavorId} ${zone}`

/** Instances on hardware per flavor and zone: those for which no host was found take none. */
function standingByPlace(state: KakaoState): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const instance of state.instances.values()) {
    if (instance.task?.name === 'build-without-host' || look(state, instance).gone) continue
    const place = placeOf(instance.flavorId, instance.zone)
    counts.set(place, (counts.get(place) ?? 0) + 1)
  }
  return counts
}

/** Inside an instance `os_distro` is a list, and `hw_name` is missing. */
export const flavorInInstance = (flavor: Flavor): object => ({
  id: flavor.id,
  name: flavor.name,
  group: null,
  vcpus: flavor.vcpus,
  real_vcpus: flavor.vcpus,
  memory_mb: flavor.memoryGib * MIB_PER_GIB,
  root_gb: flavor.instanceType === 'bm' ? 960 : 0,
  disk_type: flavor.instanceType === 'bm' ? 'local' : 'network',
  instance_family: flavor.name.split('.')[0],
  manufacturer: flavor.maker,
  hw_type: flavor.accelerator?.type ?? null,
  hw_count: flavor.accelerator?.count ?? 0,
  is_burstable: false,
  os_distro: ['ubuntu'],
  maximum_network_interfaces: MAX_INTERFACES,
  is_hyper_threading_supported: true,
})
