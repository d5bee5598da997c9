/** Every route under `/v1`, in the order in which the document shows them. A new noun is one line here. */
import type { Route } from '../route.ts'
import { allocationRoutes } from './allocations.ts'
import { auditRoutes } from './audit.ts'
import { approvalRoutes } from './approvals.ts'
import { clusterRoutes } from './clusters.ts'
import { eventRoutes } from './events.ts'
import { operationRoutes } from './operations.ts'
import { placementRoutes } from './placements.ts'
import { proofRoutes } from './proof.ts'
import { providerRoutes } from './providers.ts'
import { reconciliationRoutes } from './reconciliation.ts'
import { webhookRoutes } from './webhooks.ts'
import { usageRoutes } from './usage.ts'
import { waitlistRoutes } from './waitlist.ts'

export const ROUTES: readonly Route[] = [
  ...providerRoutes,
  ...clusterRoutes,
  ...placementRoutes,
  ...approvalRoutes,
  ...allocationRoutes,
  ...waitlistRoutes,
  ...eventRoutes,
  ...webhookRoutes,
  ...usageRoutes,
  ...auditRoutes,
  ...operationRoutes,
  ...reconciliationRoutes,
  ...proofRoutes,
]
