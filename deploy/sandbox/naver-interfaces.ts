/** Network interfaces: those that come and go with a server, and those made by themselves, which a server leaves behind. */
import { SUBNETS } from './naver-catalogue.ts'
import type { Subnet } from './naver-catalogue.ts'
import { ServiceRefusal, invalidParameter } from './naver-errors.ts'
import type { Parameters } from './naver-parameters.ts'
import { code } from './naver-wire.ts'
import type { WireRecord } from './naver-wire.ts'
import {
  among,
  contains,
  descriptionGiven,
  equals,
  existingServer,
  existingServers,
  listed,
  nameGiven,
  rowsOf,
} from './naver-world.ts'
import type { Actions, InterfaceRecord, ServerInterface, ServerRecord, World } from './naver-world.ts'
import { NAVER } from './settings.ts'

/** Sources differ between 3 and 5; the lower is the one that every client must live with. */
const MAX_ACCESS_CONTROL_GROUPS = 3
/** The first five and the last address of a subnet are the operator's. */
const FIRST_HOST = 6
const LAST_HOST = 4_094

/** A server's interfaces in their order, the primary one first. */
function interfacesOf(world: World, server: ServerRecord): ServerInterface[] {
  const attached = world.interfaces.values().filter((one) => one.serverInstanceNo === server.serverInstanceNo)
  return [...server.interfaces, ...attached].sort((a, b) => a.order - b.order)
}

export const interfaceNosOf = (world: World, server: ServerRecord): string[] =>
  interfacesOf(world, server).map((one) => one.networkInterfaceNo)

export const primaryIp = (world: World, server: ServerRecord): string => interfacesOf(world, server)[0]?.ip ?? ''

/** @throws ServiceRefusal for a subnet that does not exist */
export function subnetOf(subnetNo: string): Subnet {
  const subnet = SUBNETS.find((one) => one.subnetNo === subnetNo)
  if (subnet === undefined) throw new ServiceRefusal('notFound', `Subnet ${subnetNo} does not exist.`)
  return subnet
}

/** @throws ServiceRefusal for none, too many, or one that does not exist */
export function accessControlGroupsGiven(given: Parameters): readonly string[] {
  const numbers = given.list('accessControlGroupNoList')
  if (numbers.length === 0)
    throw invalidParameter('accessControlGroupNoList', 'is required for a new network interface.')
  if (numbers.length > MAX_ACCESS_CONTROL_GROUPS) {
    throw invalidParameter('accessControlGroupNoList', `takes at most ${MAX_ACCESS_CONTROL_GROUPS}.`)
  }
  const unknown = numbers.find((number) => number !== NAVER.accessControlGroupNo)
  if (unknown === undefined) return numbers
  throw new ServiceRefusal('accessControlGroupNotFound', `Access control group ${unknown} does not exist.`)
}

/** Hands out addresses of one call: each differs from all that exist and from those handed out before. */
export function addressBook(world: World): (subnet: Subnet, wanted: string | null) => string {
  const used = new Set([
    ...existingServers(world).flatMap((server) => server.interfaces.map((one) => one.ip)),
    ...world.interfaces.values().map((one) => one.ip),
  ])
  const next = new Map<string, number>()
  return (subnet, wanted) => {
    if (wanted !== null) return claim(used, checkedAddress(subnet, wanted))
    let host = next.get(subnet.subnetNo) ?? FIRST_HOST
    while (host <= LAST_HOST && used.has(address(subnet, host))) host += 1
    if (host > LAST_HOST) throw new ServiceRefusal('stockExhausted', `Subnet ${subnet.subnetNo} has no free address.`)
    next.set(subnet.subnetNo, host + 1)
    return claim(used, address(subnet, host))
  }
}

const address = ({ network: [a, b, c] }: Subnet, host: number): string => `${a}.${b}.${c + (host >> 8)}.${host & 255}`

function checkedAddress(subnet: Subnet, wanted: string): string {
  const [, , third, fourth] = wanted.split('.').map(Number)
  const host = ((third ?? 0) - subnet.network[2]) * 256 + (fourth ?? 0)
  if (address(subnet, host) === wanted && host >= FIRST_HOST && host <= LAST_HOST) return wanted
  throw invalidParameter('ip', `must be a free address of subnet ${subnet.subnetNo}.`)
}

function claim(used: Set<string>, ip: string): string {
  if (used.has(ip)) throw invalidParameter('ip', `${ip} is in use.`)
  used.add(ip)
  return ip
}

/** An interface of the account that no server has. @throws ServiceRefusal */
export function freeInterface(world: World, networkInterfaceNo: string): InterfaceRecord {
  const found = world.interfaces.get(networkInterfaceNo)
  if (found === undefined) {
    throw new ServiceRefusal('notFound', `Network interface ${networkInterfaceNo} does not exist.`)
  }
  if (holderOf(world, found) === null) return found
  throw new ServiceRefusal('interfaceInUse', `Network interface ${networkInterfaceNo} is attached to a server.`)
}

const holderOf = (world: World, one: InterfaceRecord): ServerRecord | null =>
  one.serverInstanceNo === null ? null : existingServer(world, one.serverInstanceNo)

export const interfaceActions = (world: World): Actions => ({
  createNetworkInterface(given) {
    mustBeVpc(given.required('vpcNo'))
    const subnet = subnetOf(given.required('subnetNo'))
    const accessControlGroupNos = accessControlGroupsGiven(given)
    const ip = addressBook(world)(subnet, given.text('ip'))
    const networkInterfaceNo = world.nextNo()
    const made: InterfaceRecord = {
      networkInterfaceNo,
      name: nameGiven(given, 'networkInterfaceName') ?? `nic-${networkInterfaceNo}`,
      description: descriptionGiven(given, 'networkInterfaceDescription'),
      order: 0,
      subnetNo: subnet.subnetNo,
      ip,
      accessControlGroupNos,
      serverInstanceNo: null,
    }
    world.interfaces.set(networkInterfaceNo, made)
    world.context.ledger.made({ kind: 'port', id: networkInterfaceNo, name: made.name, atMs: world.now() })
    return rowsOf('networkInterfaceList', [view({ one: made, server: null, isOwn: true })])
  },

  deleteNetworkInterface(given) {
    const one = freeInterface(world, given.required('networkInterfaceNo'))
    world.interfaces.delete(one.networkInterfaceNo)
    world.context.ledger.gone('port', one.networkInterfaceNo, world.now())
    return rowsOf('networkInterfaceList', [view({ one, server: null, isOwn: true })])
  },

  getNetworkInterfaceList(given) {
    const numbers = given.list('networkInterfaceNoList')
    const [name, ip] = [given.text('networkInterfaceName'), given.text('ip')]
    const [subnetNo, instanceNo] = [given.text('subnetNo'), given.text('instanceNo')]
    const rows = everything(world).filter(
      ({ one, server }) =>
        among(numbers, one.networkInterfaceNo) &&
        contains(name, one.name) &&
        contains(ip, one.ip) &&
        equals(subnetNo, one.subnetNo) &&
        equals(instanceNo, server?.serverInstanceNo ?? ''),
    )
    return listed(given, 'networkInterfaceList', rows.map(view))
  },

  getNetworkInterfaceDetail(given) {
    const wanted = given.required('networkInterfaceNo')
    const rows = everything(world).filter(({ one }) => one.networkInterfaceNo === wanted)
    return rowsOf('networkInterfaceList', rows.map(view))
  },
})

/** @throws ServiceRefusal for a VPC that does not exist */
export function mustBeVpc(vpcNo: string): void {
  if (vpcNo !== NAVER.vpcNo) throw new ServiceRefusal('notFound', `VPC ${vpcNo} does not exist.`)
}

interface Held {
  readonly one: ServerInterface & { readonly description?: string }
  readonly server: ServerRecord | null
  /** Made by itself. */
  readonly isOwn: boolean
}

function everything(world: World): Held[] {
  const withServers = existingServers(world)
    .filter((server) => world.context.visible(server.createdAtMs))
    .flatMap((server) => server.interfaces.map((one) => ({ one, server, isOwn: false })))
  const own = world.interfaces.values().map((one) => ({ one, server: holderOf(world, one), isOwn: true }))
  return [...withServers, ...own]
}

const view = ({ one, server, isOwn }: Held): WireRecord => ({
  networkInterfaceNo: one.networkInterfaceNo,
  networkInterfaceName: one.name,
  subnetNo: one.subnetNo,
  deleteOnTermination: !isOwn,
  isDefault: one.order === 0 && server !== null,
  deviceName: server === null ? '' : `eth${one.order}`,
  networkInterfaceStatus: server === null ? code('NOTUSED', 'not used') : code('USED', 'used'),
  instanceType: server === null ? code('') : code('VSVR', 'Server(VPC)'),
  instanceNo: server?.serverInstanceNo ?? '',
  ip: one.ip,
  macAddress: macAddress(one.networkInterfaceNo),
  accessControlGroupNoList: one.accessControlGroupNos,
  networkInterfaceDescription: one.description ?? '',
  secondaryIpList: [],
  enableFlowLog: false,
})

/** Locally administered, and told apart by the interface's number. */
function macAddress(networkInterfaceNo: string): string {
  const digits = Number(networkInterfaceNo).toString(16).padStart(10, '0').slice(-10)
  return `f2${digits.replace(/../g, (pair) => `:${pair}`)}`
}
