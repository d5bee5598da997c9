/**
 * Block storage: the root disk, which comes and goes with its server, and additional disks, which keep a server from being
 * terminated until they are detached. While one is attached or detached its server is in SETUP, and a little longer.
 */
import { diskView, holder, isChanging, rootView } from './naver-disk-view.ts'
import { invalidParameter, ServiceRefusal } from './naver-errors.ts'
import type { Parameters } from './naver-parameters.ts'
import {
  among,
  equals,
  existingServers,
  isReady,
  listed,
  mustBeIdle,
  nameGiven,
  rowsOf,
  serverOf,
  stateOf,
} from './naver-world.ts'
import type { Actions, DiskRecord, ServerRecord, World } from './naver-world.ts'

const DEFAULT_ROOT_GB = 100
const SIZE_GB = { min: 10, max: 2_000 }
/** Parts of a server's boot time: what the disk takes, and what its server needs to be itself again. */
const DISK_PART = 0.1
const SERVER_PART = 0.15

export interface DisksGiven {
  readonly rootGb: number
  readonly additional: readonly { readonly name: string | null; readonly sizeGb: number }[]
}

/** `blockStorageMappingList` of a new server; order 0 is its root disk. */
export function disksGiven(given: Parameters): DisksGiven {
  const disks = given.records('blockStorageMappingList').map((element) => ({
    order: element.integer('order', { min: 0, max: 20 }) ?? 0,
    name: nameGiven(element, 'blockStorageName'),
    sizeGb: element.integer('blockStorageSize', SIZE_GB) ?? DEFAULT_ROOT_GB,
  }))
  if (new Set(disks.map((disk) => disk.order)).size < disks.length) {
    throw invalidParameter('blockStorageMappingList', 'orders must differ.')
  }
  return {
    rootGb: disks.find((disk) => disk.order === 0)?.sizeGb ?? DEFAULT_ROOT_GB,
    additional: disks.filter((disk) => disk.order > 0),
  }
}

export function makeDisks(
  world: World,
  order: { readonly server: ServerRecord; readonly disks: DisksGiven['additional']; readonly attachMs: number },
): DiskRecord[] {
  return order.disks.map(({ name, sizeGb }) => {
    const blockStorageInstanceNo = world.nextNo()
    const nowMs = world.now()
    const disk: DiskRecord = {
      blockStorageInstanceNo,
      name: name ?? `bst-${blockStorageInstanceNo}`,
      sizeGb,
      createdAtMs: nowMs,
      serverInstanceNo: order.server.serverInstanceNo,
      change: { kind: 'attach', sinceMs: nowMs, tookMs: order.attachMs },
    }
    world.disks.set(blockStorageInstanceNo, disk)
    world.context.ledger.made({ kind: 'volume', id: blockStorageInstanceNo, name: disk.name, atMs: nowMs })
    return disk
  })
}

function existing(world: World): DiskRecord[] {
  const isGone = (disk: DiskRecord): boolean => disk.change.kind === 'delete' && !isChanging(disk, world.now())
  const all = world.disks.values()
  for (const disk of all) if (isGone(disk)) world.disks.delete(disk.blockStorageInstanceNo)
  return all.filter((disk) => !isGone(disk))
}

/** Whether the server still has a disk beside its root disk, be it on its way off. */
export const hasAdditionalDisk = (world: World, serverInstanceNo: string): boolean =>
  existing(world).some(
    (disk) =>
      disk.serverInstanceNo === serverInstanceNo && (disk.change.kind === 'attach' || isChanging(disk, world.now())),
  )

export const diskActions = (world: World): Actions => ({
  createBlockStorageInstance(given) {
    const server = serverOf(world, given.required('serverInstanceNo'))
    const sizeGb = given.integer('blockStorageSize', SIZE_GB)
    if (sizeGb === null) throw invalidParameter('blockStorageSize', 'is required.')
    const name = nameGiven(given, 'blockStorageName')
    const attachMs = occupy(world, server)
    const disks = makeDisks(world, { server, disks: [{ name, sizeGb }], attachMs })
    return rowsOf(
      'blockStorageInstanceList',
      disks.map((disk) => diskView(world, disk)),
    )
  },

  attachBlockStorageInstance(given) {
    const disk = settledDisk(world, given.required('blockStorageInstanceNo'))
    if (disk.serverInstanceNo !== null && disk.change.kind === 'attach') throw inUse(disk)
    const server = serverOf(world, given.required('serverInstanceNo'))
    const tookMs = occupy(world, server)
    const change = { kind: 'attach', sinceMs: world.now(), tookMs } as const
    const attaching: DiskRecord = { ...disk, serverInstanceNo: server.serverInstanceNo, change }
    world.disks.set(disk.blockStorageInstanceNo, attaching)
    return rowsOf('blockStorageInstanceList', [diskView(world, attaching)])
  },

  detachBlockStorageInstances(given) {
    const disks = disksNamed(world, given)
    const servers = new Map(disks.map((disk) => [attachedTo(disk), serverOf(world, attachedTo(disk))]))
    for (const server of servers.values()) mustTakeDisks(world, server)
    for (const server of servers.values()) occupy(world, server)
    const change = { kind: 'detach', sinceMs: world.now(), tookMs: DISK_PART * world.context.bootMs() } as const
    const detaching = disks.map((disk): DiskRecord => ({ ...disk, change }))
    for (const disk of detaching) world.disks.set(disk.blockStorageInstanceNo, disk)
    return rowsOf(
      'blockStorageInstanceList',
      detaching.map((disk) => diskView(world, disk)),
    )
  },

  deleteBlockStorageInstances(given) {
    const disks = disksNamed(world, given)
    const attached = disks.find((disk) => disk.change.kind === 'attach')
    if (attached !== undefined) throw inUse(attached)
    const sinceMs = world.now()
    const change = { kind: 'delete', sinceMs, tookMs: DISK_PART * world.context.bootMs() } as const
    const deleting = disks.map((disk): DiskRecord => ({ ...disk, change }))
    for (const disk of deleting) {
      world.disks.set(disk.blockStorageInstanceNo, disk)
      world.context.ledger.gone('volume', disk.blockStorageInstanceNo, sinceMs + change.tookMs)
    }
    return rowsOf(
      'blockStorageInstanceList',
      deleting.map((disk) => diskView(world, disk)),
    )
  },

  getBlockStorageInstanceList(given) {
    const serverInstanceNo = given.text('serverInstanceNo')
    const [numbers, types] = [given.list('blockStorageInstanceNoList'), given.list('blockStorageTypeCodeList')]
    const roots = existingServers(world)
      .filter((server) => world.context.visible(server.createdAtMs))
      .map((server) => ({
        no: server.rootDiskNo,
        holder: server.serverInstanceNo,
        type: 'BASIC',
        row: () => rootView(world, server),
      }))
    const others = existing(world).map((disk) => ({
      no: disk.blockStorageInstanceNo,
      holder: holder(world, disk),
      type: 'SVRBS',
      row: () => diskView(world, disk),
    }))
    const rows = [...roots, ...others].filter(
      ({ no, holder, type }) => equals(serverInstanceNo, holder) && among(numbers, no) && among(types, type),
    )
    return listed(
      given,
      'blockStorageInstanceList',
      rows.map(({ row }) => row()),
    )
  },
})

function mustTakeDisks(world: World, server: ServerRecord): void {
  mustBeIdle(world, server)
  const { status } = stateOf(world, server)
  if (status === 'RUN' || status === 'NSTOP') return
  throw new ServiceRefusal('wrongServerStatus', `Server ${server.serverInstanceNo} is neither running nor stopped.`)
}

/** Puts an idle server into SETUP. @returns how long its disk takes; the server takes longer */
function occupy(world: World, server: ServerRecord): number {
  mustTakeDisks(world, server)
  const asked = isReady(world, server) ? 'setup-running' : 'setup-stopped'
  const phase = { asked, sinceMs: world.now(), tookMs: SERVER_PART * world.context.bootMs() } as const
  world.servers.set(server.serverInstanceNo, { ...server, phase })
  return DISK_PART * world.context.bootMs()
}

function settledDisk(world: World, blockStorageInstanceNo: string): DiskRecord {
  const disk = existing(world).find((one) => one.blockStorageInstanceNo === blockStorageInstanceNo)
  if (disk === undefined)
    throw new ServiceRefusal('notFound', `Block storage ${blockStorageInstanceNo} does not exist.`)
  if (!isChanging(disk, world.now())) return disk
  throw new ServiceRefusal('storageInOperation', `Block storage ${blockStorageInstanceNo} is in operation.`)
}

function disksNamed(world: World, given: Parameters): DiskRecord[] {
  const numbers = given.list('blockStorageInstanceNoList')
  if (numbers.length === 0) throw invalidParameter('blockStorageInstanceNoList', 'is required.')
  return [...new Set(numbers)].map((number) => settledDisk(world, number))
}

function attachedTo(disk: DiskRecord): string {
  if (disk.serverInstanceNo !== null && disk.change.kind === 'attach') return disk.serverInstanceNo
  throw new ServiceRefusal('storageInUse', `Block storage ${disk.blockStorageInstanceNo} is not attached.`)
}

const inUse = (disk: DiskRecord): ServiceRefusal =>
  new ServiceRefusal('storageInUse', `Block storage ${disk.blockStorageInstanceNo} is attached to a server.`)
