/** Operators and clusters: what there is, what is free when, and the switches on them. */
import type { PreviewRequest, WaitlistItem } from '../../shared/allocation.ts'
import type { Availability, ClusterView, ProviderView } from '../../shared/cluster.ts'
import type { PlacementPreview } from '../../shared/decision.ts'
import type { Drain, DrainRequest, OperationRequest } from '../../shared/operation.ts'
import {
  type CallOptions,
  type Calls,
  type IfMatchOption,
  type ListOptions,
  type PostOptions,
  type ReadById,
  pathTo,
} from './calls.ts'

/** RFC 3339; members left out are as the API says. */
export interface TimeRange {
  readonly from?: string
  readonly to?: string
}

type SwitchOptions = PostOptions & IfMatchOption

export interface CatalogueCalls {
  listProviders(options?: ListOptions): AsyncGenerator<ProviderView>
  readonly getProvider: ReadById<ProviderView>
  /** Nothing new is placed there; what runs goes on. */
  suspendProvider(id: string, request?: OperationRequest, options?: SwitchOptions): Promise<ProviderView>
  resumeProvider(id: string, request?: OperationRequest, options?: SwitchOptions): Promise<ProviderView>

  listClusters(options?: ListOptions): AsyncGenerator<ClusterView>
  readonly getCluster: ReadById<ClusterView>
  /** @param range at most three years */
  getClusterAvailability(id: string, range?: TimeRange, options?: CallOptions): Promise<Availability>
  suspendCluster(id: string, request?: OperationRequest, options?: SwitchOptions): Promise<ClusterView>
  resumeCluster(id: string, request?: OperationRequest, options?: SwitchOptions): Promise<ClusterView>

  drainCluster(clusterId: string, request: DrainRequest, options?: PostOptions): Promise<Drain>
  /** Newest first, lifted ones included. */
  listDrains(clusterId: string, options?: ListOptions): AsyncGenerator<Drain>
  readonly getDrain: ReadById<Drain>
  liftDrain(id: string, options?: CallOptions & IfMatchOption): Promise<Drain>

  /** Changes nothing. */
  previewPlacement(request: PreviewRequest, options?: CallOptions): Promise<PlacementPreview>
  /** In serving order. */
  listWaitlist(filter?: { readonly architecture?: string }, options?: ListOptions): AsyncGenerator<WaitlistItem>
}

export const catalogueCalls = ({ read, readById, post, walk, ...calls }: Calls): CatalogueCalls => ({
  listProviders: (options) => walk(pathTo('providers'), options),
  getProvider: readById('providers'),
  suspendProvider: (id, request = {}, options) => post(pathTo('providers', id, 'suspend'), request, options),
  resumeProvider: (id, request = {}, options) => post(pathTo('providers', id, 'resume'), request, options),

  listClusters: (options) => walk(pathTo('clusters'), options),
  getCluster: readById('clusters'),
  getClusterAvailability: (id, range, options) => read(pathTo('clusters', id, 'availability'), options, { ...range }),
  suspendCluster: (id, request = {}, options) => post(pathTo('clusters', id, 'suspend'), request, options),
  resumeCluster: (id, request = {}, options) => post(pathTo('clusters', id, 'resume'), request, options),

  drainCluster: (clusterId, request, options) => post(pathTo('clusters', clusterId, 'drains'), request, options),
  listDrains: (clusterId, options) => walk(pathTo('clusters', clusterId, 'drains'), options),
  getDrain: readById('drains'),
  liftDrain: (id, options) => calls.delete(pathTo('drains', id), options),

  previewPlacement: (request, options) => post(pathTo('placements', 'preview'), request, options),
  listWaitlist: (filter, options) => walk(pathTo('waitlist'), options, { ...filter }),
})
