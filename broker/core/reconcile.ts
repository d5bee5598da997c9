/**
 * Wanted nodes × found nodes → what to note and which steps to take. Provisioning, repair, scale-down, release, recovery
 * after a crash and the sweep are all this one comparison; it runs as often as anybody likes, and with nothing to do it
 * says so. It never trusts an answer, only a list.
 */
import { type EpochMs, MINUTE_MS } from '../../shared/time.ts'
import type { ProviderNode } from '../../shared/provider.ts'

export type WantedStatus = 'requested' | 'building' | 'ready' | 'failed' | 'deleting' | 'deleted' | 'quarantined'

/** One generation of one ordinal, bound to a name that was written down before it was asked for. */
export interface WantedNode {
  readonly ordinal: number
  readonly generation: number
  readonly name: string
  readonly groupName: string
  readonly status: WantedStatus
  readonly providerInstanceId: string | null
  readonly address: string | null
  readonly since: EpochMs
}

export interface AskedGroup {
  readonly name: string
  readonly size: number
  /** When it was last asked for, or the answer came; null: never asked for. */
  readonly askedAt: EpochMs | null
  /**
   * What the last answer leaves true. `none`: surely nothing was made. `asked`: nobody has noted an answer; whoever holds
   * the allocation's claim and reads this knows that the asker is gone.
   */
  readonly effect: 'unasked' | 'asked' | 'accepted' | 'none' | 'maybe'
  readonly notBefore: EpochMs
}

export interface Situation {
  /** `hold`: the allocation wants its nodes. `release`: it wants none. */
  readonly intent: 'hold' | 'release'
  readonly wanted: readonly WantedNode[]
  readonly groups: readonly AskedGroup[]
  readonly found: readonly ProviderNode[]
  readonly now: EpochMs
  readonly visibilityDelayMs: number
  readonly joinsFabric: boolean
  /** The last generation of an ordinal that is tried; if that fails too, the allocation cannot be built here. */
  readonly maxGenerations: number
  /** It has been active: it is not given up for a node, which is tried again, after a pause, for as long as it runs. */
  readonly standing: boolean
}

export interface NodeNote {
  readonly ordinal: number
  readonly generation: number
  readonly status: WantedStatus
  readonly providerInstanceId: string | null
  readonly address: string | null
  readonly failure: ProviderNode['failure']
}

export type Step =
  /** Ask the provider for the group, under its written name. */
  | { readonly step: 'create'; readonly group: string }
  /** These ordinals need new names (a new generation where `failed`): write them down, then they are asked for. */
  | { readonly step: 'rename'; readonly ordinals: readonly number[]; readonly failed: boolean }
  | { readonly step: 'delete'; readonly providerInstanceIds: readonly string[] }
  | { readonly step: 'join-fabric'; readonly providerInstanceIds: readonly string[] }
  | { readonly step: 'leave-fabric' }
  /** An ordinal failed in its last generation, or for want of room: this cluster will not do. */
  | { readonly step: 'give-up'; readonly ordinal: number; readonly failure: ProviderNode['failure'] }

export interface Plan {
  /** Only what differs from what is stored. */
  readonly notes: readonly NodeNote[]
  readonly steps: readonly Step[]
  /** Groups whose asker is gone: as of now, their answer is lost. They can still appear, from now, for the whole delay. */
  readonly unanswered: readonly string[]
  /** Every wanted node is ready (and in its fabric). */
  readonly ready: boolean
  /** The provider lists nothing of the allocation, and nothing that was asked for can still appear. */
  readonly gone: boolean
  readonly counts: { readonly ready: number; readonly failed: number }
}

export function reconcile(situation: Situation): Plan {
  const known = { ...situation, found: underWrittenNames(situation) }
  return situation.intent === 'hold' ? hold(known) : release(known)
}

/** A node is found by its name once; from then on it is known by its id, whatever somebody calls it at the operator. */
function underWrittenNames({ wanted, found }: Situation): ProviderNode[] {
  const written = new Map(wanted.map((node) => [node.providerInstanceId, node.name]))
  return found.map((node) => ({ ...node, name: written.get(node.providerInstanceId) ?? node.name }))
}

/** Whether the plan takes a node for gone that the store knows by its id, only because this list does not show it. */
export function takesForGone({ notes }: Plan, found: readonly ProviderNode[]): boolean {
  const listed = new Set(found.map((node) => node.providerInstanceId))
  return notes.some(
    ({ status, providerInstanceId: id }) =>
      (status === 'failed' || status === 'deleted') && id !== null && !listed.has(id),
  )
}

function hold(situation: Situation): Plan {
  const current = currentGeneration(situation.wanted)
  const byName = oldestByName(situation.found)
  const notes: NodeNote[] = []
  const steps: Step[] = []
  const failed: WantedNode[] = []
  const keep = new Set<string>()
  const ready: ProviderNode[] = []

  for (const node of current) {
    const found = byName.get(node.name)
    if (found === undefined) {
      if (node.status === 'failed') failed.push(node)
      else if (isSeen(node)) noteLost(node, situation, notes, failed)
      continue
    }
    note(node, found, notes)
    if (found.state === 'failed') failed.push(node)
    else keep.add(found.providerInstanceId)
    if (found.state === 'ready') ready.push(found)
  }

  const unwanted = situation.found.filter((node) => !keep.has(node.providerInstanceId) && node.state !== 'deleting')
  if (unwanted.length > 0) steps.push({ step: 'delete', providerInstanceIds: idsOf(unwanted) })
  steps.push(...replacements(failed, byName, situation))
  steps.push(...askings(current, byName, failed, situation))

  const complete = current.length > 0 && ready.length === current.length
  if (complete && situation.joinsFabric && ready.some((node) => !node.inFabric)) {
    steps.push({ step: 'join-fabric', providerInstanceIds: idsOf(ready) })
  }
  notes.push(...departures(situation))
  const joined = !situation.joinsFabric || ready.every((node) => node.inFabric)
  return {
    notes,
    steps,
    unanswered: unansweredOf(situation),
    ready: complete && joined,
    gone: false,
    counts: { ready: ready.length, failed: failed.length },
  }
}

/** Those that are on their way out of an allocation that goes on without them, and are listed no more. */
function departures(situation: Situation): NodeNote[] {
  const listed = new Set(situation.found.flatMap((node) => [node.name, node.providerInstanceId]))
  const unsettled = unsettledGroups(situation)
  return situation.wanted
    .filter((node) => node.status === 'deleting' && !unsettled.has(node.groupName))
    .filter((node) => !listed.has(node.name) && !listed.has(node.providerInstanceId ?? ''))
    .map((node) => ({ ...node, status: 'deleted', address: null, failure: null }))
}

/** The newest generation of each ordinal that is to stay, by ordinal. */
function currentGeneration(wanted: readonly WantedNode[]): readonly WantedNode[] {
  const newest = new Map<number, WantedNode>()
  for (const node of wanted) {
    const other = newest.get(node.ordinal)
    if (other === undefined || other.generation < node.generation) newest.set(node.ordinal, node)
  }
  return [...newest.values()]
    .filter((node) => node.status !== 'deleted' && node.status !== 'deleting')
    .sort((a, b) => a.ordinal - b.ordinal)
}

/** Of two nodes with one name the older stays; the other is nobody's and is deleted. One going away does not count. */
function oldestByName(found: readonly ProviderNode[]): ReadonlyMap<string, ProviderNode> {
  const oldest = new Map<string, ProviderNode>()
  for (const node of found) {
    if (node.state === 'deleting') continue
    const other = oldest.get(node.name)
    if (other === undefined || isOlder(node, other)) oldest.set(node.name, node)
  }
  return oldest
}

function isOlder(a: ProviderNode, b: ProviderNode): boolean {
  const [aAt, bAt] = [a.createdAt ?? 0, b.createdAt ?? 0]
  return aAt === bAt ? a.providerInstanceId < b.providerInstanceId : aAt < bAt
}

const idsOf = (nodes: readonly ProviderNode[]): string[] => nodes.map((node) => node.providerInstanceId).sort()

const STATUS_OF = { building: 'building', ready: 'ready', failed: 'failed', deleting: 'deleting' } as const

function note(node: WantedNode, found: ProviderNode, notes: NodeNote[]): void {
  const status = STATUS_OF[found.state]
  const known = node.status === status && node.providerInstanceId === found.providerInstanceId
  if (known && node.address === found.address) return
  notes.push({
    ordinal: node.ordinal,
    generation: node.generation,
    status,
    providerInstanceId: found.providerInstanceId,
    address: found.address,
    failure: found.failure,
  })
}

const LOST = { code: null, message: 'the provider no longer lists it', kind: 'fault' } as const

const isSeen = (node: WantedNode): boolean => node.status === 'building' || node.status === 'ready'

const unansweredOf = ({ groups }: Situation): string[] =>
  groups.filter((group) => group.effect === 'asked').map((group) => group.name)

/** It was there and is not listed any more. A list may lag, so only after the visibility delay is it called lost. */
function noteLost(node: WantedNode, situation: Situation, notes: NodeNote[], failed: WantedNode[]): void {
  if (situation.now - node.since < situation.visibilityDelayMs) return
  failed.push(node)
  notes.push({ ...node, status: 'failed', address: null, failure: LOST })
}

/** A node of a standing allocation that failed too often, or for want of room, is tried again after this. */
const TRY_AGAIN_MS = 15 * MINUTE_MS

function replacements(
  failed: readonly WantedNode[],
  byName: ReadonlyMap<string, ProviderNode>,
  { maxGenerations, standing, now }: Situation,
): Step[] {
  const noRoom = failed.filter((node) => byName.get(node.name)?.failure?.kind === 'out-of-capacity')
  const hopeless = [...noRoom, ...failed.filter((node) => node.generation >= maxGenerations)]
  const [first] = hopeless
  if (first !== undefined && !standing) {
    return [{ step: 'give-up', ordinal: first.ordinal, failure: byName.get(first.name)?.failure ?? LOST }]
  }
  const waits = (node: WantedNode): boolean => node.status !== 'failed' || now - node.since < TRY_AGAIN_MS
  const due = failed.filter((node) => !(hopeless.includes(node) && waits(node)))
  return due.length === 0 ? [] : [{ step: 'rename', ordinals: due.map((node) => node.ordinal), failed: true }]
}

/**
 * What to ask for. A group of which lists show nothing is asked for under its own name once that is safe; where lists
 * show a part of it, what is missing gets a new group, because a name is asked for again only if none of it exists.
 */
function askings(
  current: readonly WantedNode[],
  byName: ReadonlyMap<string, ProviderNode>,
  failed: readonly WantedNode[],
  situation: Situation,
): Step[] {
  const steps: Step[] = []
  const orphaned: number[] = []
  for (const group of situation.groups) {
    const members = current.filter((node) => node.groupName === group.name && !failed.includes(node))
    // One that was seen and is not listed now is not missing but lost: `noteLost` says when.
    const missing = members.filter((node) => !byName.has(node.name) && !isSeen(node))
    if (missing.length === 0 || situation.now < group.notBefore || !isSettled(group, situation)) continue
    const noneOfIt = missing.length === group.size
    if (noneOfIt) steps.push({ step: 'create', group: group.name })
    else orphaned.push(...missing.map((node) => node.ordinal))
  }
  if (orphaned.length > 0) steps.push({ step: 'rename', ordinals: orphaned.sort((a, b) => a - b), failed: false })
  return steps
}

/** Whether a list that shows nothing of the group can be believed. */
function isSettled(group: AskedGroup, { now, visibilityDelayMs }: Situation): boolean {
  if (group.effect === 'asked') return false
  if (group.askedAt === null || group.effect === 'none') return true
  return now - group.askedAt >= visibilityDelayMs
}

const unsettledGroups = (situation: Situation): ReadonlySet<string> =>
  new Set(situation.groups.filter((group) => !isSettled(group, situation)).map((group) => group.name))

function release(situation: Situation): Plan {
  const notes: NodeNote[] = []
  const steps: Step[] = []
  const byName = oldestByName(situation.found)
  const listed = new Map(situation.found.map((node) => [node.providerInstanceId, node]))
  const unsettled = unsettledGroups(situation)
  for (const node of situation.wanted) {
    const isListed = byName.has(node.name) || listed.has(node.providerInstanceId ?? '')
    const isGone = !isListed && (node.status === 'deleted' || !unsettled.has(node.groupName))
    const status = isGone ? 'deleted' : node.status === 'quarantined' ? 'quarantined' : 'deleting'
    if (node.status !== status) notes.push({ ...node, status, address: null, failure: null })
  }
  if (situation.joinsFabric && situation.found.some((node) => node.inFabric)) steps.push({ step: 'leave-fabric' })
  else if (situation.found.length > 0) steps.push({ step: 'delete', providerInstanceIds: idsOf(situation.found) })
  const gone = situation.found.length === 0 && unsettled.size === 0
  return {
    notes,
    steps,
    unanswered: unansweredOf(situation),
    ready: false,
    gone,
    counts: { ready: 0, failed: 0 },
  }
}
