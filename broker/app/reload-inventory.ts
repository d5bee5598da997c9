/**
 * A new inventory: clusters that come and go, capacity dates that slip. Who has not started and no longer fits moves in
 * the same transaction, what runs stays; and before anything is applied, the same is shown and taken back.
 */
import type { InventoryReload } from '../../shared/operation.ts'
import { Refusal } from '../../shared/refusal.ts'
import { toIso, toIsoOrNull } from '../../shared/time.ts'
import { clustersIn, reservationOf, waiting } from '../core/calendar-reads.ts'
import { catalogueChanges, type ClusterChange } from '../core/catalogue-change.ts'
import type { Cluster } from '../core/cluster.ts'
import { lastStartOf } from '../core/placement/request.ts'
import { laterPromise } from '../core/promise.ts'
import { replan } from '../core/replan.ts'
import type { Affected } from '../store/schema.ts'
import type { App } from './app.ts'
import type { Answer, Command } from './command.ts'
import type { Draft } from './draft.ts'
import type { Member } from './decide-group.ts'
import { seedFor } from './plan-aside.ts'
import { displaceFrom } from './promises.ts'
import { relocateOverbooked, stillRunning } from './relocate.ts'
import { giveNotices } from './take-back.ts'

export interface NewInventory {
  readonly catalogue: readonly Cluster[]
  /** False: shows what it would do, and changes nothing. */
  readonly apply: boolean
}

/** The inventory is everybody's, so nobody bound to one operator or organisation may change it. */
export async function reloadInventory(
  app: App,
  command: Command,
  inventory: NewInventory,
): Promise<Answer<InventoryReload>> {
  const { organizationId, providerId } = command.caller
  if (organizationId !== null || providerId !== null) {
    throw new Refusal('insufficient-scope', 'The inventory is changed only by a caller who is bound to nobody.')
  }
  const { decide, ...member } = changeCatalogue(inventory)
  return app.writer.answer(command, { ...member, decide: (draft) => ({ body: decide(draft), etag: null }) })
}

/** The same without a caller: at a start, and on a signal. Nothing is written where nothing differs. */
export const changeCatalogue = ({ catalogue, apply }: NewInventory): Member<InventoryReload> => ({
  needs: { waiting: true, scheduled: true, idle: true },
  triesOnly: !apply,
  decide(draft) {
    const changes = catalogueChanges(clustersIn(draft.calendar), catalogue)
    if (changes.length === 0) return { applied: apply, clusters: [], affected: [], promises: [] }
    draft.apply({ op: 'catalogue', clusters: catalogue })
    const told = giveNotices.decide(draft).map((allocationId) => ({ allocationId, effect: 'waitlisted' as const }))
    const affected = [...told, ...changes.flatMap((change) => settle(draft, change))]
    return { applied: apply, clusters: changes.map(differencesOf), affected, promises: promisesMissed(draft) }
  },
})

function settle(draft: Draft, change: ClusterChange): Affected[] {
  const { clusterId } = change
  if (change.before === null) {
    tell(draft, change, [])
    return []
  }
  const by = { cause: 'capacity-date', causeId: clusterId } as const
  displaceFrom(draft, clusterId, by)
  const moved = relocateOverbooked(draft, clusterId, by)
  const affected = [...moved, ...stillRunning(draft, clusterId, { start: draft.now, end: Number.POSITIVE_INFINITY })]
  tell(draft, change, affected)
  return affected
}

function tell(draft: Draft, change: ClusterChange, affected: readonly Affected[]): void {
  draft.event({
    type: 'cluster.capacity-changed',
    subject: `clusters/${change.clusterId}`,
    data: { ...differencesOf(change), affected },
  })
}

const differencesOf = ({
  clusterId,
  change,
  members,
  before,
  after,
}: ClusterChange): InventoryReload['clusters'][number] => ({
  clusterId,
  change,
  differences: members.map((member) => ({
    member,
    before: before === null ? null : shown(before, member),
    after: after === null ? null : shown(after, member),
  })),
})

const shown = (cluster: Cluster, member: keyof Cluster): unknown =>
  member === 'phases'
    ? cluster.phases.map((phase) => ({ ...phase, from: toIso(phase.from) }))
    : (cluster[member] ?? null)

/** The promises that the next plan will not keep; it is made right after this is committed, and tells of each. */
function promisesMissed(draft: Draft): InventoryReload['promises'] {
  const { calendar, now, policy } = draft
  const { changes } = replan(calendar, { now, policy, seed: seedFor(draft.calendarVersion) })
  const plans = new Map(changes.map((change) => [change.allocationId, change]))
  return waiting(calendar).flatMap(({ allocationId, promisedStart, request }) => {
    const change = plans.get(allocationId)
    const place = change === undefined ? reservationOf(calendar, allocationId) : change.placement
    if (promisedStart === null) return []
    const plannedStart = place?.start ?? null
    const latestStart = request.period.kind === 'flexible' ? request.period.latestStart : null
    const plan = { plannedStart, now, latestStart, policy, promisedStart, lastStart: lastStartOf(request) }
    const later = laterPromise(plan)
    if (later === null) return []
    return [
      {
        allocationId,
        promisedStart: toIso(promisedStart),
        estimatedStart: toIsoOrNull(plannedStart),
        newPromisedStart: toIso(later),
      },
    ]
  })
}
