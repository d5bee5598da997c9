/**
 * What every provider's configuration has in common, whatever its operator: who it is, how fast it may be called, and
 * which of the inventory's clusters it serves from which networks. Each adapter's `config.ts` extends these.
 */
import { z } from 'zod'
import { OwnerChosenId } from './ids.ts'
import { SafeUrl } from './url.ts'

/** An absolute URL without a trailing slash; https, or http on loopback. */
export const BaseUrl = SafeUrl.transform((text) => text.replace(/\/+$/, ''))

export const ProviderBase = z.strictObject({
  id: OwnerChosenId,
  /** Which adapter: a key of adapters/registry.ts. */
  kind: z.string(),
  /** Calls per second that the operator allows; default 5, because none of the operators publishes a number. */
  ratePerSecond: z.number().positive().max(10_000).default(5),
  /** Calls in flight at once; default 8. */
  maxConcurrent: z.int().min(1).max(256).default(8),
})

export const ClusterBase = z.strictObject({
  /** alias → the operator's image id; the first is the default. */
  images: z
    .record(z.string().regex(/^[a-z0-9.-]{1,64}$/), z.string().min(1))
    .refine((images) => Object.keys(images).length > 0, {
      message: 'must name at least one image',
    }),
  /**
   * `organization` (the default): of the cluster's networks each organisation has one to itself for as long as it has
   * nodes there. `shared`: all are in the first, and only what is in the nodes keeps them apart; it must be written out.
   */
  isolation: z.enum(['organization', 'shared']).default('organization'),
  /** For how long a list may lag behind a create or a delete, in ms. */
  visibilityDelayMs: z.int().min(0).max(3_600_000).optional(),
})

/** Credentials are written as `env:NAME` or `file:/path`; whoever reads the file hands adapters the resolved text. */
export const Secret = z.string().min(1)
