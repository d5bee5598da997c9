/** How a server is shown: one element of every server list. */
import { SPECS, memoryBytes } from './naver-catalogue.ts'
import { memberships } from './naver-fabric-state.ts'
import { interfaceNosOf } from './naver-interfaces.ts'
import { publicIpsByServer } from './naver-public-ips.ts'
import { STATUS_TEXT } from './naver-server-state.ts'
import type { ServerState } from './naver-server-state.ts'
import { code, wireDate } from './naver-wire.ts'
import type { WireRecord } from './naver-wire.ts'
import { poolName } from './naver-catalogue.ts'
import { stateOf } from './naver-world.ts'
import type { FabricRecord, PublicIpRecord, ServerRecord, World } from './naver-world.ts'
import { NAVER } from './settings.ts'

/** What stands beside a server, looked up once for a whole list. */
export interface Surroundings {
  readonly fabrics: ReadonlyMap<string, FabricRecord>
  readonly publicIps: ReadonlyMap<string, PublicIpRecord>
}

export const surroundings = (world: World): Surroundings => ({
  fabrics: memberships(world),
  publicIps: publicIpsByServer(world),
})

/** Without a fabric pool a server has no mode at all. */
export function fabricMode(server: ServerRecord, around: Surroundings): '' | 'SINGLE' | 'CLUSTER' {
  if (server.fabricPoolNo === null) return ''
  return around.fabrics.has(server.serverInstanceNo) ? 'CLUSTER' : 'SINGLE'
}

/** @param state shown instead of its own, where an answer pretends */
export function serverView(
  world: World,
  server: ServerRecord,
  around: Surroundings,
  state: ServerState = stateOf(world, server),
): WireRecord {
  const spec = SPECS.find((one) => one.serverSpecCode === server.specCode)
  const publicIp = around.publicIps.get(server.serverInstanceNo)
  const fabric = around.fabrics.get(server.serverInstanceNo)
  const group = server.placementGroupNo === null ? undefined : world.groups.get(server.placementGroupNo)
  return {
    serverInstanceNo: server.serverInstanceNo,
    serverName: server.name,
    serverDescription: server.description,
    cpuCount: spec?.cpuCount ?? 0,
    memorySize: spec === undefined ? 0 : memoryBytes(spec),
    platformType: code('UBS64', 'Ubuntu Server 64 Bit'),
    loginKeyName: server.loginKeyName,
    publicIpInstanceNo: publicIp?.publicIpInstanceNo ?? '',
    publicIp: publicIp?.publicIp ?? '',
    serverInstanceStatus: code(state.status, STATUS_TEXT[state.status]),
    serverInstanceOperation: code(state.operation, `Server ${state.operation} OP`),
    serverInstanceStatusName: state.statusName,
    createDate: wireDate(server.createdAtMs),
    uptime: wireDate(server.phase.asked === 'build' ? server.createdAtMs : server.phase.sinceMs),
    serverImageProductCode: '',
    serverProductCode: '',
    isProtectServerTermination: server.isProtected,
    zoneCode: NAVER.zoneCode,
    regionCode: NAVER.regionCode,
    vpcNo: server.vpcNo,
    subnetNo: server.subnetNo,
    networkInterfaceNoList: interfaceNosOf(world, server),
    initScriptNo: server.initScriptNo ?? '',
    serverInstanceType: spec === undefined || spec.gpuCount === 0 ? code('STAND', 'Standard') : code('GPU', 'GPU'),
    baseBlockStorageDiskType: code('NET', 'Network Storage'),
    baseBlockStorageDiskDetailType: code('SSD', 'SSD'),
    placementGroupNo: group?.placementGroupNo ?? '',
    placementGroupName: group?.name ?? '',
    memberServerImageInstanceNo: '',
    blockDevicePartitionList: [],
    hypervisorType: code('KVM', 'KVM'),
    serverImageNo: server.imageNo,
    serverSpecCode: server.specCode,
    eventList: [],
    fabricClusterPoolNo: server.fabricPoolNo ?? '',
    fabricClusterPoolName: server.fabricPoolNo === null ? '' : poolName(server.fabricPoolNo),
    fabricClusterMode: fabricMode(server, around),
    fabricClusterNo: fabric?.fabricClusterNo ?? '',
    fabricClusterName: fabric?.name ?? '',
    isPreInstallGpuDriver: server.preInstallsGpuDriver,
  }
}
