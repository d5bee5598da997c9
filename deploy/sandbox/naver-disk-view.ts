/** How block storage is shown: additional disks and root disks alike. */
import { rootDiskAttached } from './naver-server-state.ts'
import { code, wireDate } from './naver-wire.ts'
import type { WireRecord } from './naver-wire.ts'
import type { DiskRecord, ServerRecord, World } from './naver-world.ts'
import { NAVER } from './settings.ts'

const GIB = 1_024 ** 3

export const isChanging = (disk: DiskRecord, nowMs: number): boolean => nowMs - disk.change.sinceMs < disk.change.tookMs

/** The server that has the disk, or is losing it; empty for none. */
export const holder = (world: World, disk: DiskRecord): string =>
  disk.change.kind === 'attach' || (disk.change.kind === 'detach' && isChanging(disk, world.now()))
    ? (disk.serverInstanceNo ?? '')
    : ''

const CHANGING_NAME = { attach: 'attaching', detach: 'detaching', delete: 'terminating' } as const
const SETTLED_NAME = { attach: 'attached', detach: 'detached', delete: 'terminating' } as const

export function diskView(world: World, disk: DiskRecord): WireRecord {
  const { kind } = disk.change
  const changing = isChanging(disk, world.now())
  return storageView({
    blockStorageInstanceNo: disk.blockStorageInstanceNo,
    serverInstanceNo: holder(world, disk),
    name: disk.name,
    type: code('SVRBS', 'Server BS'),
    sizeGb: disk.sizeGb,
    statusName: changing ? CHANGING_NAME[kind] : SETTLED_NAME[kind],
    createdAtMs: disk.createdAtMs,
  })
}

export const rootView = (world: World, server: ServerRecord): WireRecord =>
  storageView({
    blockStorageInstanceNo: server.rootDiskNo,
    serverInstanceNo: server.serverInstanceNo,
    name: `${server.name}-root`,
    type: code('BASIC', 'Basic BS'),
    sizeGb: server.rootDiskGb,
    statusName: rootDiskAttached(server.phase, world.now()) ? 'attached' : 'attaching',
    createdAtMs: server.createdAtMs,
  })

interface Shown {
  readonly blockStorageInstanceNo: string
  readonly serverInstanceNo: string
  readonly name: string
  readonly type: WireRecord
  readonly sizeGb: number
  readonly statusName: string
  readonly createdAtMs: number
}

const OPERATION: Readonly<Record<string, string>> = { attaching: 'ATTAC', detaching: 'DETAC', terminating: 'TERMT' }

function storageView(shown: Shown): WireRecord {
  const operation = OPERATION[shown.statusName] ?? 'NULL'
  const status = shown.statusName === 'attached' || shown.statusName === 'detaching' ? 'ATTAC' : 'CREAT'
  return {
    blockStorageInstanceNo: shown.blockStorageInstanceNo,
    serverInstanceNo: shown.serverInstanceNo,
    blockStorageName: shown.name,
    blockStorageType: shown.type,
    blockStorageSize: shown.sizeGb * GIB,
    deviceName: '',
    blockStorageProductCode: '',
    blockStorageInstanceStatus: code(status, `Block storage ${status} state`),
    blockStorageInstanceOperation: code(operation, `Block storage ${operation} OP`),
    blockStorageInstanceStatusName: shown.statusName,
    createDate: wireDate(shown.createdAtMs),
    blockStorageDescription: '',
    blockStorageDiskType: code('NET', 'Network Storage'),
    blockStorageDiskDetailType: code('SSD', 'SSD'),
    blockStorageVolumeType: code('CB1', 'CB1'),
    isEncryptedVolume: false,
    isReturnProtection: false,
    zoneCode: NAVER.zoneCode,
    regionCode: NAVER.regionCode,
  }
}
