/** What createServerInstances is asked for, checked whole before anything is made. */
import { FABRIC_POOLS, IMAGES, SPECS, fits } from './naver-catalogue.ts'
import type { Image, Spec } from './naver-catalogue.ts'
import { disksGiven } from './naver-disks.ts'
import type { DisksGiven } from './naver-disks.ts'
import { GATEWAY, GatewayRefused, ServiceRefusal, invalidParameter } from './naver-errors.ts'
import { accessControlGroupsGiven, freeInterface, mustBeVpc, subnetOf } from './naver-interfaces.ts'
import type { Parameters } from './naver-parameters.ts'
import { checkName, descriptionGiven, nameGiven } from './naver-world.ts'
import type { InterfaceRecord, ServerRecord, World } from './naver-world.ts'

const MAX_COUNT = 100
const MAX_START_NO = 999
const MAX_INTERFACES = 3
/** More than one server of a call are told apart by three digits. */
const SUFFIX_DIGITS = 3

export interface Order {
  /** One server each; null where the operator names it. */
  readonly names: readonly (string | null)[]
  readonly image: Image
  readonly spec: Spec
  readonly subnetNo: string
  readonly interfaces: readonly InterfaceOrder[]
  readonly disks: DisksGiven
  readonly hasPublicIp: boolean
  readonly common: Pick<
    ServerRecord,
    | 'description'
    | 'vpcNo'
    | 'loginKeyName'
    | 'initScriptNo'
    | 'placementGroupNo'
    | 'fabricPoolNo'
    | 'isProtected'
    | 'preInstallsGpuDriver'
  >
}

export interface InterfaceOrder {
  readonly order: number
  readonly existing: InterfaceRecord | null
  readonly subnetNo: string
  readonly ip: string | null
  readonly accessControlGroupNos: readonly string[]
}

/** @throws ServiceRefusal, GatewayRefused */
export function readOrder(world: World, given: Parameters): Order {
  const image = imageGiven(given)
  const spec = specGiven(given, image)
  const vpcNo = given.required('vpcNo')
  mustBeVpc(vpcNo)
  const subnet = subnetOf(given.required('subnetNo'))
  const names = namesGiven(given)
  const interfaces = interfacesGiven(world, given, { subnetNo: subnet.subnetNo, count: names.length })
  const hasPublicIp = given.flag('associateWithPublicIp') ?? false
  if (hasPublicIp && (subnet.type !== 'PUBLIC' || names.length > 1)) {
    throw invalidParameter('associateWithPublicIp', 'needs a public subnet and a single server.')
  }
  const feeSystem = given.text('feeSystemTypeCode') ?? 'MTRAT'
  if (!['MTRAT', 'FXSUM'].includes(feeSystem)) throw invalidParameter('feeSystemTypeCode', 'must be MTRAT or FXSUM.')
  return {
    names,
    image,
    spec,
    subnetNo: subnet.subnetNo,
    interfaces,
    disks: disksGiven(given),
    hasPublicIp,
    common: {
      description: descriptionGiven(given, 'serverDescription'),
      vpcNo,
      loginKeyName: loginKeyGiven(world, given),
      initScriptNo: existingNo(given, 'initScriptNo', (no) => world.scripts.has(no)),
      placementGroupNo: existingNo(given, 'placementGroupNo', (no) => world.groups.has(no)),
      fabricPoolNo: fabricPoolGiven(given, spec),
      isProtected: given.flag('isProtectServerTermination') ?? false,
      preInstallsGpuDriver: given.flag('isPreInstallGpuDriver') ?? false,
    },
  }
}

function imageGiven(given: Parameters): Image {
  const named = ['serverImageNo', 'serverImageProductCode', 'memberServerImageInstanceNo'].filter(
    (name) => given.text(name) !== null,
  )
  // Seen in the field: the service behind the gateway fails instead of refusing.
  if (named.length === 0) throw new GatewayRefused(GATEWAY.endpointError)
  if (named.length > 1) throw invalidParameter(named.join(', '), 'cannot be combined.')
  const image = IMAGES.find((one) => one.serverImageNo === given.text('serverImageNo'))
  if (image === undefined) throw new ServiceRefusal('notFound', 'The server image does not exist.')
  return image
}

function specGiven(given: Parameters, image: Image): Spec {
  if (given.text('serverProductCode') !== null) {
    throw invalidParameter('serverProductCode', 'goes with serverImageProductCode only.')
  }
  const wanted = given.text('serverSpecCode')
  const spec = wanted === null ? SPECS[0] : SPECS.find((one) => one.serverSpecCode === wanted)
  if (spec === undefined) throw new ServiceRefusal('notFound', `Server spec ${wanted} does not exist.`)
  if (!fits(spec, image)) throw invalidParameter('serverSpecCode', `cannot be used with image ${image.serverImageNo}.`)
  return spec
}

/** One name per server; the suffix counts from `serverCreateStartNo`, or 1, and is part of the length allowed. */
function namesGiven(given: Parameters): (string | null)[] {
  const count = given.integer('serverCreateCount', { min: 1, max: MAX_COUNT }) ?? 1
  const startNo = given.integer('serverCreateStartNo', { min: 0, max: MAX_START_NO }) ?? 1
  if (count + startNo > MAX_START_NO + 1) throw invalidParameter('serverCreateStartNo', 'with the count is over 1000.')
  const name = nameGiven(given, 'serverName')
  if (name === null || count === 1) return Array.from({ length: count }, () => name)
  const names = Array.from({ length: count }, (_, i) => `${name}-${String(startNo + i).padStart(SUFFIX_DIGITS, '0')}`)
  for (const one of names) checkName(one, 'serverName')
  return names
}

function interfacesGiven(
  world: World,
  given: Parameters,
  { subnetNo, count }: { readonly subnetNo: string; readonly count: number },
): InterfaceOrder[] {
  const elements = given.records('networkInterfaceList')
  if (elements.length === 0) throw invalidParameter('networkInterfaceList', 'is required.')
  if (elements.length > MAX_INTERFACES)
    throw invalidParameter('networkInterfaceList', `takes at most ${MAX_INTERFACES}.`)
  const orders = elements.map((element) => interfaceGiven(world, element, subnetNo))
  if (new Set(orders.map((one) => one.order)).size < orders.length || !orders.some((one) => one.order === 0)) {
    throw invalidParameter('networkInterfaceOrder', 'must differ, and 0 must be among them.')
  }
  const primary = orders.find((one) => one.order === 0)
  if (primary?.subnetNo !== subnetNo)
    throw invalidParameter('networkInterfaceList', 'the primary one must be in subnetNo.')
  if (count > 1 && orders.some((one) => one.existing !== null || one.ip !== null)) {
    throw invalidParameter('networkInterfaceList', 'an existing interface or an address is for a single server.')
  }
  return orders
}

function interfaceGiven(world: World, element: Parameters, subnetNo: string): InterfaceOrder {
  const order = element.integer('networkInterfaceOrder', { min: 0, max: MAX_INTERFACES - 1 })
  if (order === null) throw invalidParameter('networkInterfaceOrder', 'is required.')
  const networkInterfaceNo = element.text('networkInterfaceNo')
  if (networkInterfaceNo !== null) {
    const existing = freeInterface(world, networkInterfaceNo)
    return { order, existing, subnetNo: existing.subnetNo, ip: null, accessControlGroupNos: [] }
  }
  const subnet = subnetOf(element.text('subnetNo') ?? subnetNo)
  const accessControlGroupNos = accessControlGroupsGiven(element)
  return { order, existing: null, subnetNo: subnet.subnetNo, ip: element.text('ip'), accessControlGroupNos }
}

/** The key named, or the youngest. */
function loginKeyGiven(world: World, given: Parameters): string {
  const wanted = given.text('loginKeyName')
  const key = wanted === null ? world.keys.values().at(-1) : world.keys.get(wanted)
  if (key === undefined) throw new ServiceRefusal('notFound', `Login key ${wanted ?? ''} does not exist.`)
  return key.keyName
}

function existingNo(given: Parameters, name: string, exists: (no: string) => boolean): string | null {
  const wanted = given.text(name)
  if (wanted !== null && !exists(wanted)) throw new ServiceRefusal('notFound', `${name} ${wanted} does not exist.`)
  return wanted
}

function fabricPoolGiven(given: Parameters, spec: Spec): string | null {
  const wanted = given.text('fabricClusterPoolNo')
  if (wanted === null) return null
  const pool = FABRIC_POOLS.find((one) => one.poolNo === wanted)
  if (pool === undefined) throw new ServiceRefusal('notFound', `Fabric cluster pool ${wanted} does not exist.`)
  if (pool.specCode !== spec.serverSpecCode) throw invalidParameter('fabricClusterPoolNo', 'has no such server spec.')
  return wanted
}
