/** What the simulated operator remembers, and what all of its services share: records, numbers, rules for names. */
import { ServiceRefusal, invalidParameter } from './naver-errors.ts'
import type { OperatorContext } from './harness.ts'
import type { Parameters } from './naver-parameters.ts'
import { isGone, serverState } from './naver-server-state.ts'
import type { Phase, ServerState } from './naver-server-state.ts'
import type { Table } from './store.ts'
import type { WireRecord, WireValue } from './naver-wire.ts'

export interface ServerInterface {
  readonly networkInterfaceNo: string
  readonly name: string
  readonly order: number
  readonly subnetNo: string
  readonly ip: string
  readonly accessControlGroupNos: readonly string[]
}

export interface ServerRecord {
  readonly serverInstanceNo: string
  readonly name: string
  readonly description: string
  readonly createdAtMs: number
  readonly phase: Phase
  readonly specCode: string
  readonly imageNo: string
  readonly vpcNo: string
  readonly subnetNo: string
  readonly loginKeyName: string
  readonly initScriptNo: string | null
  readonly placementGroupNo: string | null
  readonly fabricPoolNo: string | null
  readonly isProtected: boolean
  readonly preInstallsGpuDriver: boolean
  /** Made with the server, and gone with it. */
  readonly interfaces: readonly ServerInterface[]
  readonly rootDiskNo: string
  readonly rootDiskGb: number
}

export interface ScriptRecord {
  readonly initScriptNo: string
  readonly name: string
  readonly description: string
  readonly content: string
  readonly osTypeCode: 'LNX' | 'WND'
  readonly createdAtMs: number
}

export interface KeyRecord {
  readonly keyName: string
  readonly publicKey: string
  readonly fingerprint: string
  readonly createdAtMs: number
}

export interface PublicIpRecord {
  readonly publicIpInstanceNo: string
  readonly publicIp: string
  readonly description: string
  readonly createdAtMs: number
  readonly modifiedAtMs: number
  readonly serverInstanceNo: string | null
  readonly change: { readonly kind: 'create' | 'set' | 'delete'; readonly sinceMs: number; readonly tookMs: number }
}

/** An interface made by itself, which a server leaves behind; those that come with a server stand in its record. */
export interface InterfaceRecord extends ServerInterface {
  readonly description: string
  readonly serverInstanceNo: string | null
}

export interface GroupRecord {
  readonly placementGroupNo: string
  readonly name: string
  readonly createdAtMs: number
}

/** A disk beside the root disk. */
export interface DiskRecord {
  readonly blockStorageInstanceNo: string
  readonly name: string
  readonly sizeGb: number
  readonly createdAtMs: number
  readonly serverInstanceNo: string | null
  readonly change: { readonly kind: 'attach' | 'detach' | 'delete'; readonly sinceMs: number; readonly tookMs: number }
}

export interface FabricRecord {
  readonly fabricClusterNo: string
  readonly name: string
  readonly description: string
  readonly poolNo: string
  readonly createdAtMs: number
  readonly createMs: number
  /** The set asked for last, the one before it, and how long the change takes. */
  readonly members: readonly string[]
  readonly formerMembers: readonly string[]
  readonly changedAtMs: number
  readonly changeMs: number
  readonly deletedAtMs: number | null
  readonly deleteMs: number
}

export interface World {
  readonly context: OperatorContext
  readonly servers: Table<ServerRecord>
  readonly scripts: Table<ScriptRecord>
  readonly keys: Table<KeyRecord>
  readonly publicIps: Table<PublicIpRecord>
  readonly interfaces: Table<InterfaceRecord>
  readonly groups: Table<GroupRecord>
  readonly disks: Table<DiskRecord>
  readonly fabrics: Table<FabricRecord>
  now(): number
  /** The next number of anything: decimal, increasing, never used twice. */
  nextNo(): string
}

/** One call: parameters in, the wrapper's members out. */
export type Action = (given: Parameters) => WireRecord
export type Actions = Readonly<Record<string, Action>>

const FIRST_NO = 10_000_001

export function openWorld(context: OperatorContext): World {
  const { store } = context
  return {
    context,
    servers: store.table('servers'),
    scripts: store.table('init-scripts'),
    keys: store.table('login-keys'),
    publicIps: store.table('public-ips'),
    interfaces: store.table('network-interfaces'),
    groups: store.table('placement-groups'),
    disks: store.table('block-storage'),
    fabrics: store.table('fabric-clusters'),
    now: () => context.now(),
    nextNo: () => String(store.nextNumber('instance-no', FIRST_NO)),
  }
}

/** Servers that exist, oldest first; those whose termination has ended are forgotten on the way. */
export function existingServers(world: World): ServerRecord[] {
  const nowMs = world.now()
  const all = world.servers.values()
  for (const server of all) if (isGone(server.phase, nowMs)) world.servers.delete(server.serverInstanceNo)
  return all.filter((server) => !isGone(server.phase, nowMs))
}

export function existingServer(world: World, serverInstanceNo: string): ServerRecord | null {
  const server = world.servers.get(serverInstanceNo)
  return server === undefined || isGone(server.phase, world.now()) ? null : server
}

/** @throws ServiceRefusal for a server that does not exist (any more) */
export function serverOf(world: World, serverInstanceNo: string): ServerRecord {
  const server = existingServer(world, serverInstanceNo)
  if (server !== null) return server
  throw new ServiceRefusal('serverNotFound', `Server instance ${serverInstanceNo} does not exist.`)
}

export const stateOf = (world: World, server: ServerRecord): ServerState => serverState(server.phase, world.now())

const isIdle = (world: World, server: ServerRecord): boolean => stateOf(world, server).operation === 'NULL'

export const isReady = (world: World, server: ServerRecord): boolean =>
  isIdle(world, server) && stateOf(world, server).status === 'RUN'

/** @throws ServiceRefusal 1100031 while something is being done with the server */
export function mustBeIdle(world: World, server: ServerRecord): void {
  if (isIdle(world, server)) return
  throw new ServiceRefusal(
    'operationInProgress',
    `Server ${server.serverInstanceNo} cannot be controlled by API: another operation is in progress.`,
  )
}

const NAME = /^[a-z][a-z0-9-]*[a-z0-9]$/

/** A name by the common rule, or null where none was given. @throws ServiceRefusal */
export function nameGiven(given: Parameters, parameter: string): string | null {
  const name = given.text(parameter)
  if (name !== null) checkName(name, parameter)
  return name
}

export function checkName(name: string, parameter: string): void {
  if (name.length >= 3 && name.length <= 30 && NAME.test(name)) return
  throw invalidParameter(
    parameter,
    'must have 3 to 30 lower-case letters, digits and hyphens, and begin with a letter.',
  )
}

const MAX_DESCRIPTION_BYTES = 1_000

export function descriptionGiven(given: Parameters, parameter: string): string {
  const description = given.text(parameter) ?? ''
  if (Buffer.byteLength(description) > MAX_DESCRIPTION_BYTES) {
    throw invalidParameter(parameter, `must have at most ${MAX_DESCRIPTION_BYTES} bytes.`)
  }
  return description
}

const MAX_PAGE = 2_147_483_647

/**
 * The page asked for; without `pageNo` everything. Pages 0 and 1 are both the first, as its index is not documented.
 *
 * @param counted what `totalRows` says; it is known not to be reliable
 */
export function listed(
  given: Parameters,
  name: string,
  rows: readonly WireRecord[],
  counted = rows.length,
): WireRecord {
  const pageNo = given.integer('pageNo', { min: 0, max: MAX_PAGE })
  const pageSize = given.integer('pageSize', { min: 1, max: MAX_PAGE }) ?? MAX_PAGE
  const first = pageNo === null ? 0 : (Math.max(pageNo, 1) - 1) * pageSize
  const page = pageNo === null ? rows : rows.slice(first, first + pageSize)
  return { totalRows: counted, [name]: page }
}

/** A wrapper with all of its rows: where this API does not page, and after changes. */
export const rowsOf = (name: string, rows: readonly WireRecord[]): WireRecord => ({
  totalRows: rows.length,
  [name]: rows,
})

/** Whether a list parameter leaves a value in: an empty list does with all. */
export const among = (list: readonly string[], value: string): boolean => list.length === 0 || list.includes(value)

/** Whether a filter leaves a value in; names are searched for inside, so that a client must compare for itself. */
export const contains = (wanted: string | null, value: string): boolean => wanted === null || value.includes(wanted)
export const equals = (wanted: string | null, value: WireValue | null): boolean => wanted === null || value === wanted
