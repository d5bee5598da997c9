/** Providers, clusters and their availability: the same for every caller who may read the catalogue. */
import type { Availability, ClusterView, ProviderView } from '../../shared/cluster.ts'
import { GPUS_PER_NODE } from '../../shared/cluster.ts'
import { Refusal } from '../../shared/refusal.ts'
import { type EpochMs, toIso } from '../../shared/time.ts'
import { availability } from '../core/availability.ts'
import type { Calendar } from '../core/calendar.ts'
import { clusterAt, clusterOf, clustersIn, drainsOn, isSuspended } from '../core/calendar-reads.ts'
import { type Cluster, reclaimMs } from '../core/cluster.ts'
import { type ClusterCounts, nodeCounts } from '../store/allocations.ts'
import type { CircuitRow } from '../store/changes.ts'
import { readCircuits } from '../store/circuits.ts'
import { frozenProviders } from '../store/operations.ts'
import { reservationsBetween } from '../store/reservations.ts'
import type { App } from './app.ts'
import type { Page, PageRequest, Range } from './command.ts'
import { canonicalJson } from '../core/canonical-json.ts'
import { sha256 } from './digest.ts'

/** What the catalogue needs to know of providers, whoever stands behind them. */
export interface ProviderFacts {
  readonly id: string
  readonly name: string
  health(): CallHealth
}

/** What this replica's own calls have seen. */
interface CallHealth extends Pick<ProviderView['health'], 'since' | 'lastSuccessAt' | 'lastError'> {
  readonly failing: boolean
}

const byId = <T extends { readonly id: string }>(items: readonly T[]): T[] =>
  items.toSorted((a, b) => (a.id < b.id ? -1 : 1))

function pageById<T extends { readonly id: string }>(items: readonly T[], page: PageRequest): Page<T> {
  const rest = byId(items).filter((item) => page.after === null || item.id > page.after)
  const shown = rest.slice(0, page.limit)
  return { items: shown, next: rest.length > page.limit ? (shown.at(-1)?.id ?? null) : null }
}

/** The version of what can be changed: everything but progress. */
const etagOfFacts = (facts: unknown): string => sha256(canonicalJson(facts)).slice(0, 16)

export async function listProviders(
  app: App,
  providers: readonly ProviderFacts[],
  page: PageRequest,
): Promise<Page<ProviderView>> {
  const at = await providersAt(app)
  return pageById(
    providers.map((provider) => providerView(provider, at)),
    page,
  )
}

export async function getProvider(
  app: App,
  providers: readonly ProviderFacts[],
  id: string,
): Promise<{ body: ProviderView; etag: string }> {
  const provider = providers.find((one) => one.id === id)
  if (provider === undefined) throw new Refusal('not-found', `There is no provider ${id}.`)
  return providerSeen(provider, await providersAt(app))
}

/** What a provider's view depends on beside the provider itself. */
export interface ProvidersAt {
  readonly calendar: Calendar
  readonly frozen: ReadonlySet<string>
  readonly circuits: readonly CircuitRow[]
}

export async function providersAt({ cache, database }: App): Promise<ProvidersAt> {
  return {
    calendar: await cache.read(),
    frozen: await frozenProviders(database.queries),
    circuits: await readCircuits(database.queries),
  }
}

export function providerSeen(provider: ProviderFacts, at: ProvidersAt): { body: ProviderView; etag: string } {
  const body = providerView(provider, at)
  const { health: _, ...facts } = body
  return { body, etag: etagOfFacts(facts) }
}

const providerView = (provider: ProviderFacts, { calendar, frozen, circuits }: ProvidersAt): ProviderView => ({
  id: provider.id,
  name: provider.name,
  health: healthOf(provider, circuits),
  suspended: calendar.suspendedProviders.has(provider.id),
  frozen: frozen.has(provider.id),
  clusters: clustersIn(calendar)
    .filter((cluster) => cluster.providerId === provider.id)
    .map((cluster) => cluster.id),
})

/** Circuits as all replicas see them; calls as this one has. */
function healthOf(provider: ProviderFacts, rows: readonly CircuitRow[]): ProviderView['health'] {
  const own = rows.filter((row) => row.providerId === provider.id)
  const stateOf = (kind: CircuitRow['kind']) => own.find((row) => row.kind === kind)?.state ?? 'closed'
  const circuits = { read: stateOf('read'), create: stateOf('create'), delete: stateOf('delete') }
  const states = Object.values(circuits)
  const { failing, since, lastSuccessAt, lastError } = provider.health()
  const degraded = failing || states.some((state) => state !== 'closed')
  return {
    state: states.every((state) => state === 'open') ? 'down' : degraded ? 'degraded' : 'up',
    circuits,
    since: toIso(Math.max(Date.parse(since), ...own.map((row) => row.changedAt))),
    lastSuccessAt,
    lastError,
  }
}

export async function listClusters(app: App, page: PageRequest): Promise<Page<ClusterView>> {
  const [calendar, counts] = await Promise.all([app.cache.read(), nodeCounts(app.database.queries)])
  const now = app.now()
  return pageById(
    clustersIn(calendar).map((cluster) => clusterView(cluster, { calendar, now, counts })),
    page,
  )
}

export async function getCluster(app: App, id: string): Promise<{ body: ClusterView; etag: string }> {
  const [calendar, counts] = await Promise.all([app.cache.read(), nodeCounts(app.database.queries)])
  return clusterSeen(knownCluster(calendar, id), { calendar, now: app.now(), counts })
}

interface Seen {
  readonly calendar: Calendar
  readonly now: EpochMs
  readonly counts: ReadonlyMap<string, ClusterCounts>
}

export function clusterSeen(cluster: Cluster, at: Seen): { body: ClusterView; etag: string } {
  const body = clusterView(cluster, at)
  const { now: _, ...facts } = body
  return { body, etag: etagOfFacts(facts) }
}

function knownCluster(calendar: Calendar, id: string): Cluster {
  const cluster = clusterOf(calendar, id)
  if (cluster === null) throw new Refusal('not-found', `There is no cluster ${id}.`)
  return cluster
}

function clusterView(cluster: Cluster, { calendar, now, counts }: Seen): ClusterView {
  const instant = clusterAt(calendar, cluster.id, now)
  const gpus = cluster.nodes * cluster.gpusPerNode
  return {
    id: cluster.id,
    providerId: cluster.providerId,
    gpuModel: cluster.gpuModel,
    architecture: cluster.architecture,
    cooling: cluster.cooling,
    interconnect: cluster.interconnect,
    nodes: cluster.nodes,
    gpusPerNode: GPUS_PER_NODE,
    gpus,
    fp8H200Equivalent: gpus * cluster.fp8H200PerGpu,
    share: cluster.share,
    phases: cluster.phases.map((phase) => ({ ...phase, from: toIso(phase.from) })),
    images: [...cluster.images],
    placeable: cluster.mapped,
    suspended: isSuspended(calendar, cluster),
    now: {
      nodesReady: counts.get(cluster.id)?.ready ?? 0,
      nodesReserved: instant.reserved,
      nodesActive: counts.get(cluster.id)?.active ?? 0,
      nodesDrained: instant.drained,
      nodesQuarantined: instant.quarantined,
      nodesIdle: instant.idle,
      shortfall: instant.shortfall,
    },
  }
}

export async function clusterAvailability(app: App, id: string, range: Range): Promise<Availability> {
  const calendar = await app.cache.read()
  const cluster = knownCluster(calendar, id)
  const reservations = await reservationsBetween(app.database.queries, { clusterId: id, ...range })
  const steps = availability({
    range: { start: range.from, end: range.to },
    phases: cluster.phases,
    reservations: reservations
      .filter(({ givesWay }) => !givesWay)
      .map(({ nodes, start, heldUntil }) => ({ nodes, start, end: heldUntil })),
    // It gives way: who reserves may count on its nodes from then on.
    idleUse: reservations
      .filter(({ givesWay }) => givesWay)
      .map(({ nodes, start, heldUntil }) => ({
        nodes,
        start,
        end: Math.min(heldUntil, app.now() + reclaimMs(cluster)),
      })),
    drains: drainsOn(calendar, id).map(({ nodes, from, to }) => ({ nodes, start: from, end: to })),
  })
  return { steps: steps.map((step) => ({ ...step, from: toIso(step.from), to: toIso(step.to) })) }
}
