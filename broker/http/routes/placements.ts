import { PreviewRequest } from '../../../shared/allocation.ts'
import { PlacementPreview } from '../../../shared/decision.ts'
import * as examples from '../examples.ts'
import { found, route } from '../route.ts'
import { Nothing } from './parts.ts'

const previewPlacement = route({
  method: 'post',
  path: '/v1/placements/preview',
  operationId: 'previewPlacement',
  tag: 'Catalogue',
  summary: 'See where and when a request could be placed',
  description: 'Changes nothing. Every cluster is listed, with the reasons why it cannot serve the request, if any.',
  scope: 'catalog:read',
  params: Nothing,
  query: Nothing,
  body: { schema: PreviewRequest, required: true, example: examples.previewRequest },
  takesIdempotencyKey: false,
  takesIfMatch: false,
  lane: 'reads',
  successes: { ok: { description: 'All candidates.', schema: PlacementPreview, example: examples.preview } },
  hasEtag: false,
  problems: ['demand-not-whole-nodes'],
  handle: async (useCases, { caller, body }) => found(await useCases.previewPlacement(caller, body)),
})

export const placementRoutes = [previewPlacement]
