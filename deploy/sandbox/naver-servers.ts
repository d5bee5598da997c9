/** Servers: the actions on them. What a batch asks for is done for all of its servers or, after a refusal, for none. */
import { takeDeleteLie } from './behaviour.ts'
import { createServers } from './naver-create.ts'
import { hasAdditionalDisk } from './naver-disks.ts'
import { ServiceRefusal, invalidParameter } from './naver-errors.ts'
import { fabricTies } from './naver-fabric-state.ts'
import { primaryIp } from './naver-interfaces.ts'
import type { Parameters } from './naver-parameters.ts'
import { rootDiskAttached, serverState } from './naver-server-state.ts'
import type { Phase, ServerAsked, ServerState } from './naver-server-state.ts'
import { fabricMode, serverView, surroundings } from './naver-server-view.ts'
import type { Surroundings } from './naver-server-view.ts'
import type { WireRecord } from './naver-wire.ts'
import {
  among,
  checkName,
  contains,
  equals,
  existingServers,
  listed,
  mustBeIdle,
  rowsOf,
  serverOf,
  stateOf,
} from './naver-world.ts'
import type { Actions, ServerRecord, World } from './naver-world.ts'

const MAX_BATCH = 100
/** Parts of a server's boot time. */
const START_PART = 0.5
const REBOOT_PART = 0.3

export const serverActions = (world: World): Actions => ({
  createServerInstances: (given) => shown(world, createServers(world, given)),

  getServerInstanceList(given) {
    const around = surroundings(world)
    const rows = sorted(given, existingServers(world).filter(serverFilter(world, given, around)))
    const visible = rows.filter((server) => world.context.visible(server.createdAtMs))
    // What is not listable yet is counted already: totalRows is not to be relied upon.
    return listed(
      given,
      'serverInstanceList',
      visible.map((server) => serverView(world, server, around)),
      rows.length,
    )
  },

  getServerInstanceDetail(given) {
    const wanted = given.required('serverInstanceNo')
    const rows = existingServers(world)
      .filter((server) => server.serverInstanceNo === wanted)
      .filter((server) => world.context.visible(server.createdAtMs))
    return shown(world, rows)
  },

  startServerInstances: (given) =>
    batch(world, given, {
      check: (server) => mustHaveStatus(world, server, ['NSTOP']),
      phase: { asked: 'start', tookMs: START_PART * world.context.bootMs() },
    }),

  rebootServerInstances: (given) =>
    batch(world, given, {
      check: (server) => mustHaveStatus(world, server, ['RUN']),
      phase: { asked: 'reboot', tookMs: REBOOT_PART * world.context.bootMs() },
    }),

  stopServerInstances: (given) =>
    batch(world, given, {
      check: (server) => mustHaveStatus(world, server, ['RUN']),
      phase: { asked: 'stop', tookMs: world.context.stopMs() },
    }),

  terminateServerInstances: (given) => terminate(world, given),

  changeServerInstanceName(given) {
    const server = serverOf(world, given.required('serverInstanceNo'))
    const name = given.required('serverName')
    checkName(name, 'serverName')
    return change(world, { ...server, name })
  },

  setProtectServerTermination(given) {
    const server = serverOf(world, given.required('serverInstanceNo'))
    const isProtected = given.flag('isProtectServerTermination')
    if (isProtected === null) throw invalidParameter('isProtectServerTermination', 'is required.')
    return change(world, { ...server, isProtected })
  },
})

function shown(world: World, servers: readonly ServerRecord[]): WireRecord {
  const around = surroundings(world)
  return rowsOf(
    'serverInstanceList',
    servers.map((server) => serverView(world, server, around)),
  )
}

function change(world: World, server: ServerRecord): WireRecord {
  world.servers.set(server.serverInstanceNo, server)
  return shown(world, [server])
}

interface BatchOrder {
  /** Throws the refusal, if the server cannot be taken. */
  readonly check: (server: ServerRecord) => void
  readonly phase: { readonly asked: ServerAsked; readonly tookMs: number }
}

function batch(world: World, given: Parameters, { check, phase }: BatchOrder): WireRecord {
  const servers = serversNamed(world, given)
  for (const server of servers) {
    mustBeControllable(world, server)
    check(server)
  }
  const changed = servers.map((server): ServerRecord => ({ ...server, phase: { ...phase, sinceMs: world.now() } }))
  for (const server of changed) world.servers.set(server.serverInstanceNo, server)
  return shown(world, changed)
}

function serversNamed(world: World, given: Parameters): ServerRecord[] {
  const numbers = [...new Set(given.list('serverInstanceNoList'))]
  if (numbers.length === 0) throw invalidParameter('serverInstanceNoList', 'is required.')
  if (numbers.length > MAX_BATCH) throw invalidParameter('serverInstanceNoList', `takes at most ${MAX_BATCH}.`)
  return numbers.map((number) => serverOf(world, number))
}

/** @throws ServiceRefusal 1100031 while it is busy, 1101003 while its root disk is still being attached */
function mustBeControllable(world: World, server: ServerRecord): void {
  mustBeIdle(world, server)
  if (fabricTies(world).get(server.serverInstanceNo)?.busy === true) {
    throw new ServiceRefusal(
      'operationInProgress',
      `The fabric cluster of server ${server.serverInstanceNo} is being changed.`,
    )
  }
  if (rootDiskAttached(server.phase, world.now())) return
  throw new ServiceRefusal('storageInOperation', `The storage of server ${server.serverInstanceNo} is in operation.`)
}

function mustHaveStatus(world: World, server: ServerRecord, allowed: readonly ServerState['status'][]): void {
  const { status, statusName } = stateOf(world, server)
  if (allowed.includes(status)) return
  throw new ServiceRefusal('wrongServerStatus', `Server ${server.serverInstanceNo} is ${statusName}: not possible now.`)
}

/** Members of a fabric cluster are refused, though nobody has written that down: a client must take them out first. */
function mustBeTerminable(world: World, server: ServerRecord): void {
  const no = server.serverInstanceNo
  mustBeControllable(world, server)
  // One that failed to build has stopped as well, and there is no other way to be rid of it.
  mustHaveStatus(world, server, ['NSTOP', 'FSTOP'])
  if (server.isProtected)
    throw new ServiceRefusal('terminationProtected', `Server ${no} is protected from termination.`)
  if (fabricTies(world).has(no))
    throw new ServiceRefusal('serverInFabricCluster', `Server ${no} is in a fabric cluster.`)
  if (hasAdditionalDisk(world, no)) {
    throw new ServiceRefusal('additionalStorageAttached', `Server ${no} has additional block storage: detach it first.`)
  }
}

function terminate(world: World, given: Parameters): WireRecord {
  const servers = serversNamed(world, given)
  for (const server of servers) mustBeTerminable(world, server)
  const phase: Phase = { asked: 'terminate', sinceMs: world.now(), tookMs: world.context.stopMs() }
  const around = surroundings(world)
  const rows = servers.map((server) => {
    // The answer is the same whether or not anything is done.
    const row = serverView(
      world,
      server,
      around,
      serverState({ ...phase, tookMs: Number.POSITIVE_INFINITY }, phase.sinceMs),
    )
    if (takeDeleteLie(world.context.behaviour)) return row
    world.servers.set(server.serverInstanceNo, { ...server, phase })
    world.context.ledger.gone('node', server.serverInstanceNo, phase.sinceMs + phase.tookMs)
    return row
  })
  return rowsOf('serverInstanceList', rows)
}

function serverFilter(world: World, given: Parameters, around: Surroundings): (server: ServerRecord) => boolean {
  const numbers = given.list('serverInstanceNoList')
  const groups = given.list('placementGroupNoList')
  const hypervisors = given.list('hypervisorTypeCodeList')
  const wanted = (name: string): string | null => given.text(name)
  const [vpcNo, name, status] = [wanted('vpcNo'), wanted('serverName'), wanted('serverInstanceStatusCode')]
  const [poolNo, clusterNo, mode] = [
    wanted('fabricClusterPoolNo'),
    wanted('fabricClusterNo'),
    wanted('fabricClusterMode'),
  ]
  const [ip, diskType, diskDetail] = [
    wanted('ip'),
    wanted('baseBlockStorageDiskTypeCode'),
    wanted('baseBlockStorageDiskDetailTypeCode'),
  ]
  return (server) =>
    among(numbers, server.serverInstanceNo) &&
    contains(name, server.name) &&
    equals(vpcNo, server.vpcNo) &&
    (status === null || stateOf(world, server).status === status) &&
    among(groups, server.placementGroupNo ?? '') &&
    among(hypervisors, 'KVM') &&
    equals(poolNo, server.fabricPoolNo) &&
    equals(clusterNo, around.fabrics.get(server.serverInstanceNo)?.fabricClusterNo ?? null) &&
    equals(mode, fabricMode(server, around)) &&
    (ip === null || [primaryIp(world, server), around.publicIps.get(server.serverInstanceNo)?.publicIp].includes(ip)) &&
    equals(diskType, 'NET') &&
    equals(diskDetail, 'SSD')
}

/** Youngest first, unless asked otherwise. */
function sorted(given: Parameters, servers: readonly ServerRecord[]): ServerRecord[] {
  const by = given.text('sortedBy')
  const isAscending =
    given.text('sortingOrder')?.toUpperCase() === 'ASC' || (by !== null && given.text('sortingOrder') === null)
  const order = (a: ServerRecord, b: ServerRecord): number =>
    by === 'serverName'
      ? a.name < b.name
        ? -1
        : Number(a.name > b.name)
      : Number(a.serverInstanceNo) - Number(b.serverInstanceNo)
  return [...servers].sort((a, b) => (isAscending ? order(a, b) : order(b, a)))
}
