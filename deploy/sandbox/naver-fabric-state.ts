/** What state a fabric cluster is in, and who is in it, derived from what was last asked of it and the clock. */
import { existingServer } from './naver-world.ts'
import type { FabricRecord, World } from './naver-world.ts'

type FabricStatus = 'CREAT' | 'SETUP' | 'RUN' | 'TERMTING' | 'TERMT'

/** Parts of a creation spent in CREAT, and of a deletion after which it is only still listed. */
const CREAT_PART = 0.5
const TERMT_PART = 0.75

export function fabricStatus(fabric: FabricRecord, nowMs: number): FabricStatus {
  if (fabric.deletedAtMs !== null) {
    return nowMs - fabric.deletedAtMs < TERMT_PART * fabric.deleteMs ? 'TERMTING' : 'TERMT'
  }
  const ageMs = nowMs - fabric.createdAtMs
  if (ageMs < CREAT_PART * fabric.createMs) return 'CREAT'
  return ageMs < fabric.createMs || isChanging(fabric, nowMs) ? 'SETUP' : 'RUN'
}

const isFabricGone = (fabric: FabricRecord, nowMs: number): boolean =>
  fabric.deletedAtMs !== null && nowMs - fabric.deletedAtMs >= fabric.deleteMs

const isChanging = (fabric: FabricRecord, nowMs: number): boolean => nowMs - fabric.changedAtMs < fabric.changeMs

/** Its servers that exist, in the order in which they were named; a change that is under way does not show yet. */
export function membersNow(world: World, fabric: FabricRecord): string[] {
  const named = isChanging(fabric, world.now()) ? fabric.formerMembers : fabric.members
  return named.filter((serverInstanceNo) => existingServer(world, serverInstanceNo) !== null)
}

/** Clusters that exist, oldest first; those whose deletion has ended are forgotten on the way. */
export function existingFabrics(world: World): FabricRecord[] {
  const nowMs = world.now()
  const all = world.fabrics.values()
  for (const fabric of all) if (isFabricGone(fabric, nowMs)) world.fabrics.delete(fabric.fabricClusterNo)
  return all.filter((fabric) => !isFabricGone(fabric, nowMs))
}

/** Server → the cluster whose member it is now. */
export const memberships = (world: World): Map<string, FabricRecord> =>
  new Map(existingFabrics(world).flatMap((fabric) => membersNow(world, fabric).map((no) => [no, fabric] as const)))

/** Servers that are a cluster's members, or being made so, or being let go: busy is whether that is still under way. */
export function fabricTies(world: World): Map<string, { readonly fabric: FabricRecord; readonly busy: boolean }> {
  const nowMs = world.now()
  return new Map(
    existingFabrics(world).flatMap((fabric) => {
      const busy = isChanging(fabric, nowMs)
      const tied = new Set(busy ? [...fabric.formerMembers, ...fabric.members] : fabric.members)
      return [...tied].map((no) => [no, { fabric, busy }] as const)
    }),
  )
}
