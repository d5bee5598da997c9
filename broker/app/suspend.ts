/** No new placements at a cluster or a provider, for as long as it is suspended; what runs goes on. */
import type { ClusterView, ProviderView } from '../../shared/cluster.ts'
import type { EventType } from '../../shared/event.ts'
import type { OperationRequest } from '../../shared/operation.ts'
import { Refusal } from '../../shared/refusal.ts'
import type { CalendarOp } from '../core/calendar-op.ts'
import { clusterOf, clustersIn } from '../core/calendar-reads.ts'
import { nodeCounts } from '../store/allocations.ts'
import type { App } from './app.ts'
import { type Answer, type Command, mayOperate } from './command.ts'
import type { Draft } from './draft.ts'
import { assertSeen } from './fresh.ts'
import { displaceFrom } from './promises.ts'
import { clusterSeen, type ProviderFacts, providersAt, providerSeen } from './read-catalogue.ts'

export type Switch = 'suspend' | 'resume'

const CLUSTER_EVENT = { suspend: 'cluster.suspended', resume: 'cluster.resumed' } as const
const PROVIDER_EVENT = { suspend: 'provider.suspended', resume: 'provider.resumed' } as const

/** Twice is as good as once. */
export async function switchCluster(
  app: App,
  command: Command,
  { id, to, request }: { readonly id: string; readonly to: Switch; readonly request: OperationRequest },
): Promise<Answer<ClusterView>> {
  const counts = await nodeCounts(app.database.queries)
  return app.writer.answer(command, {
    needs: { waiting: true },
    decide(draft) {
      const cluster = clusterOf(draft.calendar, id)
      if (cluster === null || !mayOperate(command.caller, cluster.providerId)) {
        throw new Refusal('not-found', `There is no cluster ${id}.`)
      }
      assertSeen(command, clusterSeen(cluster, { calendar: draft.calendar, now: draft.now, counts }).etag)
      const is = draft.calendar.suspendedClusters.has(id)
      turn(draft, {
        id,
        is,
        to,
        op: { op: `${to}-cluster`, clusterId: id },
        subject: `clusters/${id}`,
        event: CLUSTER_EVENT[to],
        request,
        clusterIds: [id],
      })
      return clusterSeen(cluster, { calendar: draft.calendar, now: draft.now, counts })
    },
  })
}

/** Twice is as good as once. */
export async function switchProvider(
  app: App,
  command: Command,
  {
    provider,
    to,
    request,
  }: { readonly provider: ProviderFacts; readonly to: Switch; readonly request: OperationRequest },
): Promise<Answer<ProviderView>> {
  const { id } = provider
  const { frozen, circuits } = await providersAt(app)
  return app.writer.answer(command, {
    needs: { waiting: true },
    decide(draft) {
      if (!mayOperate(command.caller, id)) throw new Refusal('not-found', `There is no provider ${id}.`)
      assertSeen(command, providerSeen(provider, { calendar: draft.calendar, frozen, circuits }).etag)
      const is = draft.calendar.suspendedProviders.has(id)
      turn(draft, {
        id,
        is,
        to,
        op: { op: `${to}-provider`, providerId: id },
        subject: `providers/${id}`,
        event: PROVIDER_EVENT[to],
        request,
        clusterIds: clustersIn(draft.calendar).flatMap((one) => (one.providerId === id ? [one.id] : [])),
      })
      return providerSeen(provider, { calendar: draft.calendar, frozen, circuits })
    },
  })
}

interface Turn {
  readonly id: string
  readonly is: boolean
  readonly to: Switch
  readonly op: CalendarOp
  readonly subject: string
  readonly event: EventType
  readonly request: OperationRequest
  readonly clusterIds: readonly string[]
}

function turn(draft: Draft, { is, to, id, op, subject, event, request, clusterIds }: Turn): void {
  if (is === (to === 'suspend')) return
  draft.apply(op)
  if (to === 'suspend') {
    for (const clusterId of clusterIds) displaceFrom(draft, clusterId, { cause: 'suspension', causeId: id })
  }
  draft.event({ type: event, subject, data: { reason: request.reason ?? null } })
}
