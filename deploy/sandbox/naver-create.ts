/** createServerInstances: everything is checked before anything is made, so a refusal never leaves part of a batch. */
import { takeBuildFailure } from './behaviour.ts'
import { makeDisks } from './naver-disks.ts'
import { ServiceRefusal } from './naver-errors.ts'
import { addressBook, subnetOf } from './naver-interfaces.ts'
import { readOrder } from './naver-order.ts'
import type { InterfaceOrder, Order } from './naver-order.ts'
import type { Parameters } from './naver-parameters.ts'
import { makePublicIp, mustHaveRoomForPublicIp } from './naver-public-ips.ts'
import { existingServers } from './naver-world.ts'
import type { ServerInterface, ServerRecord, World } from './naver-world.ts'

/** @throws ServiceRefusal, GatewayRefused; nothing was made then */
export function createServers(world: World, given: Parameters): ServerRecord[] {
  const order = readOrder(world, given)
  mustFit(world, order)
  const addresses = addressBook(world)
  const servers = order.names.map((name) => build(world, { order, name, addresses }))
  if (order.hasPublicIp) {
    // Only ever for one server; the address is shown as its own from the start.
    for (const { serverInstanceNo } of servers) makePublicIp(world, { serverInstanceNo, description: '' })
  }
  return servers
}

/** The account's limit first, then what the operator has. */
function mustFit(world: World, { names, spec, hasPublicIp }: Order): void {
  const { behaviour } = world.context
  const existing = existingServers(world).length
  if (behaviour.quotaNodes !== null && existing + names.length > behaviour.quotaNodes) {
    throw new ServiceRefusal(
      'serverLimit',
      `The number of servers that can be created has been exceeded. [G3] VM > ${spec.family} : ${behaviour.quotaNodes}`,
    )
  }
  const free = world.context.freeNodes()
  if (free !== null && names.length > free) {
    throw new ServiceRefusal('stockExhausted', `There are not enough server resources for ${spec.serverSpecCode}.`)
  }
  if (hasPublicIp) mustHaveRoomForPublicIp(world, existing + names.length)
}

interface Building {
  readonly order: Order
  readonly name: string | null
  readonly addresses: ReturnType<typeof addressBook>
}

function build(world: World, { order, name, addresses }: Building): ServerRecord {
  const serverInstanceNo = world.nextNo()
  const nowMs = world.now()
  const bootMs = world.context.bootMs()
  const server: ServerRecord = {
    ...order.common,
    serverInstanceNo,
    name: name ?? `s${Number(serverInstanceNo).toString(16)}`,
    createdAtMs: nowMs,
    phase: {
      asked: takeBuildFailure(world.context.behaviour) ? 'failing-build' : 'build',
      sinceMs: nowMs,
      tookMs: bootMs,
    },
    specCode: order.spec.serverSpecCode,
    imageNo: order.image.serverImageNo,
    subnetNo: order.subnetNo,
    interfaces: order.interfaces.flatMap((one) => (one.existing === null ? [newInterface(world, one, addresses)] : [])),
    rootDiskNo: world.nextNo(),
    rootDiskGb: order.disks.rootGb,
  }
  world.servers.set(serverInstanceNo, server)
  world.context.ledger.made({ kind: 'node', id: serverInstanceNo, name: server.name, atMs: nowMs })
  for (const { existing, order: position } of order.interfaces) {
    if (existing !== null)
      world.interfaces.set(existing.networkInterfaceNo, { ...existing, order: position, serverInstanceNo })
  }
  makeDisks(world, { server, disks: order.disks.additional, attachMs: bootMs })
  return server
}

function newInterface(world: World, one: InterfaceOrder, addresses: Building['addresses']): ServerInterface {
  const networkInterfaceNo = world.nextNo()
  return {
    networkInterfaceNo,
    name: `nic-${networkInterfaceNo}`,
    order: one.order,
    subnetNo: one.subnetNo,
    ip: addresses(subnetOf(one.subnetNo), one.ip),
    accessControlGroupNos: one.accessControlGroupNos,
  }
}
