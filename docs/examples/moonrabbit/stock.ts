/**
 * What Moonrabbit Cloud has: nodes, boot scripts and fabrics, as plain records with instants. Every state is derived from
 * the clock when somebody asks. What the contract says about "twice" is kept here, because only who holds the records can:
 * a group that is asked for again is looked up in them, never in a list that may lag.
 */
import { takeBuildFailure, takeDeleteLie } from '../../../deploy/sandbox/behaviour.ts'
import type { OperatorContext } from '../../../deploy/sandbox/harness.ts'

export interface Owner {
  readonly installationId: string
  readonly allocationId: string
  readonly group: string
}

export interface Group {
  readonly name: string
  readonly size: number
  readonly clusterId: string
  readonly sshPublicKeys: readonly string[]
  readonly owner: Owner
}

export interface NodeRecord {
  readonly id: string
  readonly name: string
  readonly owner: Owner
  readonly clusterId: string
  readonly address: string
  readonly createdAtMs: number
  readonly readyAtMs: number
  readonly fails: boolean
  /** From then on it is no more; null until somebody asks for it to go. */
  readonly goneAtMs: number | null
}

/** One for each group with SSH keys; a node needs it only to boot. */
interface ScriptRecord {
  readonly id: string
  readonly owner: Owner
}

/** One for each allocation. */
interface FabricRecord {
  readonly id: string
  readonly owner: Owner
  readonly nodeIds: readonly string[]
  readonly settledAtMs: number
}

export interface Leftover {
  readonly kind: 'init-script' | 'fabric-cluster'
  readonly id: string
  readonly name: string
  readonly action: 'removed'
}

export type Shortage = 'quota-exceeded' | 'out-of-capacity'

export interface Stock {
  /** Makes the members that are not there, all of them or none. @returns the whole group, or why not */
  make(group: Group): readonly NodeRecord[] | Shortage
  /** The group's members that stand, whoever asks. */
  membersOf(groupName: string): readonly NodeRecord[]
  /** What lists show of an installation, oldest first. */
  listed(installationId: string, allocationId: string | null): readonly NodeRecord[]
  /** What lists show of everybody else, oldest first. */
  others(installationId: string): readonly NodeRecord[]
  /** Those that stand, whosever they are. */
  find(nodeIds: readonly string[]): readonly NodeRecord[]
  remove(nodeIds: readonly string[]): void
  /** @returns whether exactly these nodes are joined by now */
  join(owner: Owner, nodeIds: readonly string[]): boolean
  leave(owner: Owner): void
  sweep(installationId: string, allocationsEnded: ReadonlySet<string>): readonly Leftover[]
  stateOf(node: NodeRecord): 'building' | 'ready' | 'failed' | 'deleting'
  isJoined(node: NodeRecord): boolean
}

export function openStock(context: OperatorContext): Stock {
  const { now, behaviour, ledger, store } = context
  const nodes = store.table<NodeRecord>('nodes')
  const scripts = store.table<ScriptRecord>('scripts')
  const fabrics = store.table<FabricRecord>('fabrics')
  // Digits enough that ids sort as they were given: a page begins after the last id of the one before.
  const newId = (kind: string): string => `${kind}-${String(store.nextNumber(kind, 1)).padStart(9, '0')}`
  const stands = ({ goneAtMs }: NodeRecord): boolean => goneAtMs === null || now() < goneAtMs
  const standing = (): readonly NodeRecord[] => nodes.values().filter(stands)
  const membersOf = (name: string): readonly NodeRecord[] => standing().filter(({ owner }) => owner.group === name)
  const fabricKey = ({ installationId, allocationId }: Owner): string => `${installationId}/${allocationId}`

  function shortageFor(count: number): Shortage | null {
    if (behaviour.quotaNodes !== null && standing().length + count > behaviour.quotaNodes) return 'quota-exceeded'
    const free = context.freeNodes()
    return free !== null && count > free ? 'out-of-capacity' : null
  }

  function build(name: string, { owner, clusterId }: Group): void {
    const id = newId('node')
    const number = Number(id.slice('node-'.length))
    nodes.set(id, {
      id,
      name,
      owner,
      clusterId,
      address: `10.77.${(number >> 8) & 255}.${number & 255}`,
      createdAtMs: now(),
      readyAtMs: now() + context.bootMs(),
      fails: takeBuildFailure(behaviour),
      goneAtMs: null,
    })
    ledger.made({ kind: 'node', id, name, atMs: now() })
  }

  function isBuilding(node: NodeRecord): boolean {
    return stateOf(node) === 'building'
  }

  function stateOf({ goneAtMs, readyAtMs, fails }: NodeRecord): ReturnType<Stock['stateOf']> {
    if (goneAtMs !== null) return 'deleting'
    if (now() < readyAtMs) return 'building'
    return fails ? 'failed' : 'ready'
  }

  function dissolve({ owner, id }: FabricRecord): void {
    fabrics.delete(fabricKey(owner))
    ledger.gone('fabric-cluster', id, now())
  }

  return {
    membersOf,
    stateOf,
    make(group) {
      const there = new Set(membersOf(group.name).map(({ name }) => name))
      const names = Array.from({ length: group.size }, (_, index) => `${group.name}-${index + 1}`)
      const missing = names.filter((name) => !there.has(name))
      const shortage = missing.length === 0 ? null : shortageFor(missing.length)
      if (shortage !== null) return shortage
      for (const name of missing) build(name, group)
      if (missing.length > 0 && group.sshPublicKeys.length > 0 && !scripts.has(group.name)) {
        const id = newId('script')
        scripts.set(group.name, { id, owner: group.owner })
        ledger.made({ kind: 'init-script', id, name: group.name, atMs: now() })
      }
      return membersOf(group.name)
    },
    listed: (installationId, allocationId) =>
      standing().filter(
        ({ owner, createdAtMs }) =>
          owner.installationId === installationId &&
          (allocationId === null || owner.allocationId === allocationId) &&
          context.visible(createdAtMs),
      ),
    others: (installationId) =>
      standing().filter(
        ({ owner, createdAtMs }) => owner.installationId !== installationId && context.visible(createdAtMs),
      ),
    find: (nodeIds) => nodeIds.flatMap((id) => nodes.get(id) ?? []).filter(stands),
    remove(nodeIds) {
      for (const node of nodeIds.flatMap((id) => nodes.get(id) ?? [])) {
        if (node.goneAtMs !== null || takeDeleteLie(behaviour)) continue
        const goneAtMs = now() + context.stopMs()
        nodes.set(node.id, { ...node, goneAtMs })
        ledger.gone('node', node.id, goneAtMs)
      }
    },
    join(owner, nodeIds) {
      const fabric = fabrics.get(fabricKey(owner))
      if (fabric?.nodeIds.toSorted().join() === nodeIds.toSorted().join()) return fabric.settledAtMs <= now()
      const id = fabric?.id ?? newId('fabric')
      fabrics.set(fabricKey(owner), { id, owner, nodeIds, settledAtMs: now() + context.fabricMs() })
      if (fabric === undefined) ledger.made({ kind: 'fabric-cluster', id, name: owner.group, atMs: now() })
      return false
    },
    leave(owner) {
      const fabric = fabrics.get(fabricKey(owner))
      if (fabric !== undefined) dissolve(fabric)
    },
    isJoined({ id, owner }) {
      const fabric = fabrics.get(fabricKey(owner))
      return fabric !== undefined && fabric.settledAtMs <= now() && fabric.nodeIds.includes(id)
    },
    sweep(installationId, allocationsEnded) {
      const isOurs = ({ owner }: { readonly owner: Owner }): boolean => owner.installationId === installationId
      const hasEnded = ({ owner }: { readonly owner: Owner }): boolean => allocationsEnded.has(owner.allocationId)
      const useless = scripts
        .values()
        .filter((one) => isOurs(one) && (hasEnded(one) || !membersOf(one.owner.group).some(isBuilding)))
      const ended = fabrics.values().filter((one) => isOurs(one) && hasEnded(one))
      for (const { id, owner } of useless) {
        scripts.delete(owner.group)
        ledger.gone('init-script', id, now())
      }
      for (const fabric of ended) dissolve(fabric)
      const removed = (kind: Leftover['kind']) => (one: { readonly id: string; readonly owner: Owner }) =>
        ({ kind, id: one.id, name: one.owner.group, action: 'removed' }) as const
      return [...useless.map(removed('init-script')), ...ended.map(removed('fabric-cluster'))]
    },
  }
}
