/** What placement would say now, for every cluster. Changes nothing. */
import type { PreviewRequest } from '../../shared/allocation.ts'
import type { PlacementPreview } from '../../shared/decision.ts'
import { GPUS_PER_NODE } from '../../shared/cluster.ts'
import { Refusal } from '../../shared/refusal.ts'
import { place } from '../core/placement/place.ts'
import type { PlacementRequest } from '../core/placement/request.ts'
import type { App } from './app.ts'
import { demandOf, periodOf, requiresOf } from './placement-request.ts'
import { candidateView } from '../core/decisions/outcome.ts'

export async function previewPlacement(app: App, request: PreviewRequest): Promise<PlacementPreview> {
  const now = app.now()
  if (request.demand.gpus !== undefined && request.demand.gpus % GPUS_PER_NODE !== 0) {
    throw new Refusal('demand-not-whole-nodes', `${request.demand.gpus} GPUs are not whole nodes of ${GPUS_PER_NODE}.`)
  }
  const asked: PlacementRequest = {
    demand: demandOf(request.demand),
    requires: requiresOf(request.requires ?? {}),
    prefers: (request.prefers ?? {}) as PlacementRequest['prefers'],
    period: periodOf(request.period, now),
    image: null,
    priority: request.priority ?? 'standard',
    approval: null,
  }
  const calendar = await app.cache.read()
  const { best, candidates } = place(calendar, asked, now, app.policy)
  return { best: best?.clusterId ?? null, candidates: candidates.map(candidateView) }
}
