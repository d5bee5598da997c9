/** Public addresses: made for a server or for none, moved between servers, and left behind by a server that goes. */
import { ServiceRefusal } from './naver-errors.ts'
import { code, wireDate } from './naver-wire.ts'
import type { WireRecord } from './naver-wire.ts'
import { SUBNETS } from './naver-catalogue.ts'
import {
  descriptionGiven,
  equals,
  existingServer,
  existingServers,
  isReady,
  listed,
  rowsOf,
  serverOf,
} from './naver-world.ts'
import type { Actions, PublicIpRecord, ServerRecord, World } from './naver-world.ts'
import { primaryIp } from './naver-interfaces.ts'

/** Parts of a server's boot time that an address takes to be made, moved or deleted. */
const CHANGE_PART = 0.1

const isGone = (ip: PublicIpRecord, nowMs: number): boolean => ip.change.kind === 'delete' && !isChanging(ip, nowMs)
const isChanging = (ip: PublicIpRecord, nowMs: number): boolean => nowMs - ip.change.sinceMs < ip.change.tookMs

function existing(world: World): PublicIpRecord[] {
  const nowMs = world.now()
  const all = world.publicIps.values()
  for (const ip of all) if (isGone(ip, nowMs)) world.publicIps.delete(ip.publicIpInstanceNo)
  return all.filter((ip) => !isGone(ip, nowMs))
}

/** Server → its public address. */
export const publicIpsByServer = (world: World): Map<string, PublicIpRecord> =>
  new Map(existing(world).flatMap((ip) => (ip.serverInstanceNo === null ? [] : [[ip.serverInstanceNo, ip] as const])))

/** @throws ServiceRefusal when there would be more addresses than servers */
export function mustHaveRoomForPublicIp(world: World, servers: number): void {
  if (existing(world).length < servers) return
  throw new ServiceRefusal('publicIpLimit', 'There cannot be more public IPs than servers.')
}

/** Makes an address; it is shown as the server's from the start, if it is for one. */
export function makePublicIp(
  world: World,
  { serverInstanceNo, description }: { readonly serverInstanceNo: string | null; readonly description: string },
): PublicIpRecord {
  const publicIpInstanceNo = world.nextNo()
  const nowMs = world.now()
  const ip: PublicIpRecord = {
    publicIpInstanceNo,
    publicIp: freeAddress(existing(world).map((other) => other.publicIp)),
    description,
    createdAtMs: nowMs,
    modifiedAtMs: nowMs,
    serverInstanceNo,
    change: { kind: 'create', sinceMs: nowMs, tookMs: CHANGE_PART * world.context.bootMs() },
  }
  world.publicIps.set(publicIpInstanceNo, ip)
  world.context.ledger.made({ kind: 'public-ip', id: publicIpInstanceNo, name: ip.publicIp, atMs: nowMs })
  return ip
}

/** From a block that is set aside for documentation, and beyond it from one for benchmarks. */
function freeAddress(taken: readonly string[]): string {
  const used = new Set(taken)
  const candidate = (n: number): string =>
    n < 254 ? `203.0.113.${n + 1}` : `198.18.${(n - 254) >> 8}.${(n - 254) & 255}`
  let n = 0
  while (used.has(candidate(n))) n += 1
  return candidate(n)
}

export const publicIpActions = (world: World): Actions => ({
  createPublicIpInstance(given) {
    const serverInstanceNo = given.text('serverInstanceNo')
    const description = descriptionGiven(given, 'publicIpDescription')
    if (serverInstanceNo !== null) mustTakePublicIp(world, serverOf(world, serverInstanceNo))
    mustHaveRoomForPublicIp(world, existingServers(world).length)
    return rowsOf('publicIpInstanceList', [view(world, makePublicIp(world, { serverInstanceNo, description }))])
  },

  associatePublicIpWithServerInstance(given) {
    const ip = publicIpOf(world, given.required('publicIpInstanceNo'))
    const server = serverOf(world, given.required('serverInstanceNo'))
    if (isChanging(ip, world.now())) {
      throw new ServiceRefusal('publicIpTooEarly', `Public IP ${ip.publicIpInstanceNo} cannot be associated yet.`)
    }
    if (serverOfIp(world, ip) !== null) {
      throw new ServiceRefusal('publicIpInUse', `Public IP ${ip.publicIpInstanceNo} is associated with a server.`)
    }
    mustTakePublicIp(world, server)
    return rowsOf('publicIpInstanceList', [view(world, change(world, ip, 'set', server.serverInstanceNo))])
  },

  disassociatePublicIpFromServerInstance(given) {
    const ip = publicIpOf(world, given.required('publicIpInstanceNo'))
    mustBeSettled(world, ip)
    if (serverOfIp(world, ip) === null) {
      throw new ServiceRefusal('publicIpNotAssociated', `Public IP ${ip.publicIpInstanceNo} is not associated.`)
    }
    return rowsOf('publicIpInstanceList', [view(world, change(world, ip, 'set', null))])
  },

  deletePublicIpInstance(given) {
    const ip = publicIpOf(world, given.required('publicIpInstanceNo'))
    if (ip.change.kind === 'create' && isChanging(ip, world.now())) {
      throw new ServiceRefusal('publicIpInitialising', `Public IP ${ip.publicIpInstanceNo} is being initialized.`)
    }
    mustBeSettled(world, ip)
    if (serverOfIp(world, ip) !== null) {
      throw new ServiceRefusal('publicIpInUse', `Public IP ${ip.publicIpInstanceNo} is associated with a server.`)
    }
    const deleting = change(world, ip, 'delete', null)
    const goneAtMs = deleting.change.sinceMs + deleting.change.tookMs
    world.context.ledger.gone('public-ip', ip.publicIpInstanceNo, goneAtMs)
    return rowsOf('publicIpInstanceList', [view(world, deleting)])
  },

  getPublicIpInstanceList(given) {
    const isAssociated = given.flag('isAssociated')
    const numbers = given.list('publicIpInstanceNoList')
    const [publicIp, serverName] = [given.text('publicIp'), given.text('serverName')]
    const rows = existing(world)
      .map((ip) => ({ ip, server: serverOfIp(world, ip) }))
      .filter(({ server }) => isAssociated === null || (server !== null) === isAssociated)
      .filter(({ ip }) => numbers.length === 0 || numbers.includes(ip.publicIpInstanceNo))
      .filter(({ ip, server }) => equals(publicIp, ip.publicIp) && equals(serverName, server?.name ?? ''))
    return listed(
      given,
      'publicIpInstanceList',
      rows.map(({ ip }) => view(world, ip)),
    )
  },

  getPublicIpInstanceDetail(given) {
    const wanted = given.required('publicIpInstanceNo')
    const rows = existing(world).filter((ip) => ip.publicIpInstanceNo === wanted)
    return rowsOf(
      'publicIpInstanceList',
      rows.map((ip) => view(world, ip)),
    )
  },
})

/** The server that has the address; one that is gone has it no longer, without anybody's doing. */
const serverOfIp = (world: World, ip: PublicIpRecord): ServerRecord | null =>
  ip.serverInstanceNo === null ? null : existingServer(world, ip.serverInstanceNo)

function publicIpOf(world: World, publicIpInstanceNo: string): PublicIpRecord {
  const ip = existing(world).find((other) => other.publicIpInstanceNo === publicIpInstanceNo)
  if (ip === undefined) throw new ServiceRefusal('notFound', `Public IP ${publicIpInstanceNo} does not exist.`)
  return ip
}

function mustBeSettled(world: World, ip: PublicIpRecord): void {
  if (!isChanging(ip, world.now())) return
  throw new ServiceRefusal('publicIpChanging', `Public IP ${ip.publicIpInstanceNo} is being changed.`)
}

function mustTakePublicIp(world: World, server: ServerRecord): void {
  const subnet = SUBNETS.find((other) => other.subnetNo === server.subnetNo)
  if (subnet?.type !== 'PUBLIC') {
    throw new ServiceRefusal('invalidParameter', 'A public IP needs a server in a public subnet.')
  }
  if (publicIpsByServer(world).has(server.serverInstanceNo)) {
    throw new ServiceRefusal('publicIpInUse', `Server ${server.serverInstanceNo} has a public IP.`)
  }
  if (!isReady(world, server)) {
    throw new ServiceRefusal('publicIpTooEarly', `Server ${server.serverInstanceNo} cannot take a public IP yet.`)
  }
}

function change(
  world: World,
  ip: PublicIpRecord,
  kind: PublicIpRecord['change']['kind'],
  serverInstanceNo: string | null,
): PublicIpRecord {
  const sinceMs = world.now()
  const tookMs = CHANGE_PART * world.context.bootMs()
  const changed: PublicIpRecord = { ...ip, serverInstanceNo, modifiedAtMs: sinceMs, change: { kind, sinceMs, tookMs } }
  world.publicIps.set(ip.publicIpInstanceNo, changed)
  return changed
}

const CHANGING = {
  create: { status: code('INIT', 'init'), operation: code('CREAT', 'CREATE OP'), name: 'creating' },
  set: { status: code('RUN', 'run'), operation: code('SET', 'SETTING OP'), name: 'setting' },
  delete: { status: code('RUN', 'run'), operation: code('TERMT', 'TERMINATE OP'), name: 'terminating' },
} as const
const IDLE = { status: code('RUN', 'run'), operation: code('NULL', 'NULL OP'), name: 'running' }

function view(world: World, ip: PublicIpRecord): WireRecord {
  const state = isChanging(ip, world.now()) ? CHANGING[ip.change.kind] : IDLE
  const server = serverOfIp(world, ip)
  return {
    publicIpInstanceNo: ip.publicIpInstanceNo,
    publicIp: ip.publicIp,
    publicIpDescription: ip.description,
    createDate: wireDate(ip.createdAtMs),
    lastModifyDate: wireDate(ip.modifiedAtMs),
    publicIpInstanceStatusName: state.name,
    publicIpInstanceStatus: state.status,
    publicIpInstanceOperation: state.operation,
    serverInstanceNo: server?.serverInstanceNo ?? '',
    serverName: server?.name ?? '',
    privateIp: server === null ? '' : primaryIp(world, server),
  }
}
