/**
 * Fabric clusters: which servers of one pool form one interconnect. The members are replaced as a set, and every change
 * takes its time, during which the cluster is in SETUP and the members are still the former ones.
 */
import { FABRIC_POOLS, poolName } from './naver-catalogue.ts'
import { ServiceRefusal } from './naver-errors.ts'
import { existingFabrics, fabricStatus, fabricTies, membersNow } from './naver-fabric-state.ts'
import { mustBeVpc } from './naver-interfaces.ts'
import type { Parameters } from './naver-parameters.ts'
import { STATUS_TEXT } from './naver-server-state.ts'
import { code, wireDate } from './naver-wire.ts'
import type { WireRecord } from './naver-wire.ts'
import {
  among,
  checkName,
  contains,
  descriptionGiven,
  equals,
  isReady,
  listed,
  rowsOf,
  serverOf,
  stateOf,
} from './naver-world.ts'
import type { Actions, FabricRecord, ServerRecord, World } from './naver-world.ts'
import { NAVER } from './settings.ts'

/** The part of `fabricMs` that making or deleting an empty cluster takes. */
const EMPTY_PART = 0.5

export const fabricActions = (world: World): Actions => ({
  getFabricClusterPoolList(given) {
    mustBeZone(given.required('zoneCode'))
    const specCode = given.text('serverSpecCode')
    // "Available" pools: none is listed for hardware that has no fabric, or while nothing of it is left.
    const pools = world.context.freeNodes() === 0 ? [] : FABRIC_POOLS
    const rows = pools
      .filter((pool) => equals(specCode, pool.specCode) && given.text('serverProductCode') === null)
      .map((pool) => ({ fabricClusterPoolNo: pool.poolNo, fabricClusterPoolName: pool.name }))
    return rowsOf('fabricClusterPoolList', rows)
  },

  createFabricCluster(given) {
    const name = given.required('fabricClusterName')
    checkName(name, 'fabricClusterName')
    const description = descriptionGiven(given, 'fabricClusterDescription')
    mustBeZone(given.required('zoneCode'))
    mustBeVpc(given.required('vpcNo'))
    const poolNo = given.required('fabricClusterPoolNo')
    if (poolName(poolNo) === '') throw new ServiceRefusal('notFound', `Fabric cluster pool ${poolNo} does not exist.`)
    const fabricClusterNo = world.nextNo()
    const nowMs = world.now()
    const fabric: FabricRecord = {
      fabricClusterNo,
      name,
      description,
      poolNo,
      createdAtMs: nowMs,
      createMs: EMPTY_PART * world.context.fabricMs(),
      members: [],
      formerMembers: [],
      changedAtMs: nowMs,
      changeMs: 0,
      deletedAtMs: null,
      deleteMs: 0,
    }
    world.context.ledger.made({ kind: 'fabric-cluster', id: fabricClusterNo, name, atMs: nowMs })
    return saved(world, fabric)
  },

  changeFabricClusterServerInstances: (given) => replaceMembers(world, given),
  /** The same under the name that newer pages use. */
  updateFabricClusterServerInstances: (given) => replaceMembers(world, given),

  changeFabricClusterName(given) {
    const fabric = fabricOf(world, given.required('fabricClusterNo'))
    const name = given.required('fabricClusterName')
    checkName(name, 'fabricClusterName')
    return saved(world, { ...fabric, name })
  },

  changeFabricClusterDescription(given) {
    const fabric = fabricOf(world, given.required('fabricClusterNo'))
    return saved(world, { ...fabric, description: descriptionGiven(given, 'fabricClusterDescription') })
  },

  deleteFabricCluster(given) {
    const fabric = fabricOf(world, given.required('fabricClusterNo'))
    mustBeIdle(world, fabric)
    if (membersNow(world, fabric).length > 0) {
      throw new ServiceRefusal('fabricClusterInUse', `Fabric cluster ${fabric.fabricClusterNo} has server instances.`)
    }
    const nowMs = world.now()
    const deleteMs = EMPTY_PART * world.context.fabricMs()
    world.context.ledger.gone('fabric-cluster', fabric.fabricClusterNo, nowMs + deleteMs)
    return saved(world, { ...fabric, deletedAtMs: nowMs, deleteMs })
  },

  getFabricClusterList(given) {
    const numbers = given.list('fabricClusterNoList')
    const text = (name: string): string | null => given.text(name)
    const rows = existingFabrics(world).filter(
      (fabric) =>
        among(numbers, fabric.fabricClusterNo) &&
        contains(text('fabricClusterName'), fabric.name) &&
        equals(text('fabricClusterPoolNo'), fabric.poolNo) &&
        contains(text('fabricClusterPoolName'), poolName(fabric.poolNo)) &&
        equals(text('zoneCode'), NAVER.zoneCode) &&
        equals(text('vpcNo'), NAVER.vpcNo) &&
        hasServer(world, fabric, text('serverInstanceNo')),
    )
    const by = text('sortedBy')
    if (by === 'fabricClusterName') rows.sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)))
    if (text('sortingOrder')?.toUpperCase() === 'DESC') rows.reverse()
    return listed(
      given,
      'fabricClusterList',
      rows.map((fabric) => view(world, fabric)),
    )
  },

  getFabricClusterDetail(given) {
    const wanted = given.required('fabricClusterNo')
    const rows = existingFabrics(world).filter((fabric) => fabric.fabricClusterNo === wanted)
    return rowsOf(
      'fabricClusterList',
      rows.map((fabric) => view(world, fabric)),
    )
  },
})

const hasServer = (world: World, fabric: FabricRecord, wanted: string | null): boolean =>
  wanted === null || membersNow(world, fabric).includes(wanted)

function replaceMembers(world: World, given: Parameters): WireRecord {
  const fabric = fabricOf(world, given.required('fabricClusterNo'))
  mustBeIdle(world, fabric)
  const formerMembers = membersNow(world, fabric)
  const members = [...new Set(given.list('clusterModeServerInstanceNoList'))]
  const ties = fabricTies(world)
  for (const serverInstanceNo of members) {
    const server = serverOf(world, serverInstanceNo)
    // One that stays need not be running: the set can be changed around a server that was stopped.
    if (!formerMembers.includes(serverInstanceNo))
      mustBeFit(world, { server, fabric, isTied: ties.has(serverInstanceNo) })
  }
  const isSame = members.length === formerMembers.length && members.every((no) => formerMembers.includes(no))
  const changeMs = isSame ? 0 : world.context.fabricMs()
  return saved(world, { ...fabric, members, formerMembers, changedAtMs: world.now(), changeMs })
}

interface Candidate {
  readonly server: ServerRecord
  readonly fabric: FabricRecord
  readonly isTied: boolean
}

function mustBeFit(world: World, { server, fabric, isTied }: Candidate): void {
  const refuse = (why: string): ServiceRefusal =>
    new ServiceRefusal('fabricServerRefused', `Server ${server.serverInstanceNo} ${why}.`)
  if (server.fabricPoolNo !== fabric.poolNo) throw refuse('is not in the fabric cluster pool of the cluster')
  if (isTied) throw refuse('is in another fabric cluster')
  if (!isReady(world, server)) throw refuse('is not running')
}

function fabricOf(world: World, fabricClusterNo: string): FabricRecord {
  const fabric = existingFabrics(world).find((one) => one.fabricClusterNo === fabricClusterNo)
  if (fabric !== undefined) return fabric
  throw new ServiceRefusal('notFound', `Fabric cluster ${fabricClusterNo} does not exist.`)
}

function mustBeIdle(world: World, fabric: FabricRecord): void {
  if (fabricStatus(fabric, world.now()) === 'RUN') return
  throw new ServiceRefusal('fabricClusterBusy', `Fabric cluster ${fabric.fabricClusterNo} is in operation.`)
}

function mustBeZone(zoneCode: string): void {
  if (zoneCode !== NAVER.zoneCode) throw new ServiceRefusal('notFound', `Zone ${zoneCode} does not exist.`)
}

function saved(world: World, fabric: FabricRecord): WireRecord {
  world.fabrics.set(fabric.fabricClusterNo, fabric)
  return rowsOf('fabricClusterList', [view(world, fabric)])
}

function view(world: World, fabric: FabricRecord): WireRecord {
  const status = fabricStatus(fabric, world.now())
  const members = membersNow(world, fabric).map((no) => serverOf(world, no))
  return {
    fabricClusterNo: fabric.fabricClusterNo,
    fabricClusterName: fabric.name,
    fabricClusterDescription: fabric.description,
    fabricClusterStatus: code(status, `Fabric cluster ${status} state`),
    zoneCode: NAVER.zoneCode,
    regionCode: NAVER.regionCode,
    vpcNo: NAVER.vpcNo,
    fabricClusterPoolNo: fabric.poolNo,
    fabricClusterPoolName: poolName(fabric.poolNo),
    fabricClusterPoolCode: `SIMPOOL${fabric.poolNo}`,
    createDate: wireDate(fabric.createdAtMs),
    serverCount: members.length,
    fabricClusterServerInstanceList: members.map((server) => memberView(world, server)),
  }
}

function memberView(world: World, server: ServerRecord): WireRecord {
  const { status, operation, statusName } = stateOf(world, server)
  return {
    serverInstanceNo: server.serverInstanceNo,
    serverName: server.name,
    serverInstanceStatus: code(status, STATUS_TEXT[status]),
    serverInstanceOperation: code(operation, `Server ${operation} OP`),
    serverInstanceStatusName: statusName,
    createDate: wireDate(server.createdAtMs),
  }
}
