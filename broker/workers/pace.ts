/** When an allocation is looked at next: soon where something is under way, and when its nodes may be up. */
import { type EpochMs, SECOND_MS } from '../../shared/time.ts'
import { pauseWhileBooting, rememberBoot, type SeenBoot } from '../core/boot-time.ts'
import type { Plan } from '../core/reconcile.ts'
import type { GroupAnswer } from '../app/record-answers.ts'
import type { AllocationRow, NodeGroupRow, NodeRow } from '../store/changes.ts'

/** What a look has found and done. */
export interface Taken {
  /** As it is now. */
  readonly row: AllocationRow
  readonly nodes: readonly NodeRow[]
  readonly groups: readonly NodeGroupRow[]
  readonly plan: Pick<Plan, 'steps' | 'counts' | 'ready'>
  readonly answers: readonly GroupAnswer[]
}

export interface Pace {
  /** Of an allocation that holds its nodes, or is getting them. */
  nextHold(taken: Taken, now: EpochMs): EpochMs
  /** Learns from a look how long nodes boot. @param row as it was before */
  noteBoot(row: AllocationRow, look: Pick<Taken, 'groups' | 'plan'> & { readonly lookedAt: EpochMs }): void
}

const SHORTEST_LOOK_MS = 300
const LONGEST_LOOK_MS = 5 * SECOND_MS
/** Allocations that are booting, of which the last look is remembered: more than are likely to be at one time. */
const MAX_WATCHED = 1_000

/** An eighth of the time waited so far: late by an eighth at most, and never a burden. */
export const patienceMs = (waitedMs: number, longestMs = LONGEST_LOOK_MS): number =>
  Math.min(longestMs, Math.max(SHORTEST_LOOK_MS, Math.ceil(waitedMs / 8)))

/** @param nodeHealthMs how often an allocation that stands is looked at */
export function createPace(nodeHealthMs: number): Pace {
  /** By provider: as far as this replica has seen. */
  const seen = new Map<string, readonly SeenBoot[]>()
  /** By allocation: how long after its last create it was last seen booting. */
  const notYet = new Map<string, number>()

  return {
    noteBoot(row, { groups, plan, lookedAt }) {
      const { id, providerId, nodes } = row
      if (row.status !== 'provisioning' || providerId === null || row.readyNodes >= nodes) return
      if (groups.length === 0 || groups.some(({ effect }) => effect !== 'accepted')) return
      const sinceMs = Math.max(0, lookedAt - lastAskedAt(groups))
      const notYetMs = notYet.get(id) ?? 0
      notYet.delete(id) // so that the newest come last
      if (plan.counts.ready >= nodes) {
        seen.set(providerId, rememberBoot(seen.get(providerId) ?? [], { notYetMs, upMs: sinceMs }))
        return
      }
      notYet.set(id, sinceMs)
      const [oldest] = notYet.keys()
      if (notYet.size > MAX_WATCHED && oldest !== undefined) notYet.delete(oldest)
    },

    nextHold(taken, now) {
      const { row, nodes, groups, plan, answers } = taken
      const end = row.endAt ?? Number.POSITIVE_INFINITY
      if (plan.steps.some((step) => step.step === 'rename')) return now // names were just written down
      const settled = plan.ready && row.nodes === row.desiredNodes
      if (settled && row.status === 'active') return Math.min(end, now + nodeHealthMs)
      if (isBooting(taken)) {
        const askedAt = answers.length > 0 ? Math.max(...answers.map(({ at }) => at)) : lastAskedAt(groups)
        const pauseMs = pauseWhileBooting(seen.get(row.providerId ?? '') ?? [], now - askedAt)
        if (pauseMs !== null) return Math.min(end, now + pauseMs)
      }
      const begunAt = Math.max(row.startAt ?? 0, ...nodes.map((node) => node.since), lastAskedAt(groups))
      return Math.min(end, now + patienceMs(now - begunAt))
    },
  }
}

const lastAskedAt = (groups: readonly NodeGroupRow[]): EpochMs =>
  Math.max(0, ...groups.map((group) => group.askedAt ?? 0))

/** All of it was asked for and promised, none of it has failed, and not all of it is up: there is nothing to do but to wait. */
function isBooting({ row, groups, plan: { steps, counts }, answers }: Taken): boolean {
  if (row.status !== 'provisioning' || counts.failed > 0 || counts.ready >= row.nodes) return false
  if (steps.some(({ step }) => step !== 'create') || answers.some(({ error }) => error !== null)) return false
  const accepted = new Set(answers.map(({ group }) => group))
  return groups.every(({ name, effect }) => effect === 'accepted' || accepted.has(name))
}
