/** The chapters in which nodes come and go, with the operators' own ledgers as witnesses. */
import type { Allocation } from '../shared/allocation.ts'
import type { PlacementPreview } from '../shared/decision.ts'
import { follow, isOver } from '../broker/cli/follow.ts'
import { createProgress } from '../broker/cli/screen/progress.ts'
import { duration, instant } from '../broker/cli/screen/words.ts'
import { collect } from '../broker/client/collect.ts'
import type { Tour } from './tour-context.ts'
import { type Asker, type Cast, LARGE_CLUSTER_NODES, NATIONAL_NODES, UNIVERSITY_NODES } from './tour-cast.ts'
import { OPERATORS, nodesStanding, readLedgers } from './tour-ledgers.ts'

export interface Story {
  readonly national: Allocation
  /** All that run, in the order in which they were asked for. */
  readonly allocations: readonly Allocation[]
}

const LOOK_EVERY_MS = 300
const ACTIVE_WITHIN_MS = 90_000
const GONE_WITHIN_MS = 60_000

export async function showRunning(tour: Tour, cast: Cast, preview: PlacementPreview): Promise<Story> {
  const { client, claim, signal } = tour
  const asked: Allocation[] = []
  for (const { request } of [cast.national, cast.university, cast.startup]) {
    asked.push(await client.createAllocation(request, { signal }))
  }
  const seen = await followAll(tour, asked, { isDone: isUp, timeoutMs: ACTIVE_WITHIN_MS })
  const [national, university, startup] = seen as [Allocation, Allocation, Allocation] // as many as were asked for
  for (const one of seen) await claimItRuns(tour, one)

  const large = await clusterOf(tour, national)
  claim(
    `The national project has ${NATIONAL_NODES} liquid-cooled Blackwell nodes in a cluster of ${LARGE_CLUSTER_NODES}.`,
    national.nodes.ready === NATIONAL_NODES &&
      large?.nodes === LARGE_CLUSTER_NODES &&
      large.cooling === 'liquid' &&
      large.architecture === 'blackwell',
    large,
  )
  claim(
    `The university has ${UNIVERSITY_NODES} Hopper nodes.`,
    university.nodes.ready === UNIVERSITY_NODES && (await clusterOf(tour, university))?.architecture === 'hopper',
    university.placement,
  )
  const promised = preview.candidates.find(({ clusterId }) => clusterId === preview.best)
  claim(
    `The start-up has its compute where the preview said: ${promised?.nodes} nodes at ${preview.best}.`,
    startup.placement?.clusterId === preview.best && startup.nodes.ready === promised?.nodes,
    startup.placement,
  )
  return { national, allocations: seen }
}

/** What the broker shows and what the operator built are the same nodes, one by one. */
async function claimItRuns({ client, sandboxUrls, claim, signal }: Tour, allocation: Allocation): Promise<void> {
  const { id, name, status, nodes, placement } = allocation
  const operator = OPERATORS.find((one) => one === placement?.providerId)
  const listed = await collect(client.listAllocationNodes(id, { signal }))
  const ready = listed.filter((node) => node.status === 'ready').map((node) => node.providerInstanceId)
  const ledgers = await readLedgers(sandboxUrls, signal)
  const built = operator === undefined ? new Set<string>() : nodesStanding(ledgers[operator], id)
  const isSame = ready.length === built.size && ready.every((one) => one !== null && built.has(one))
  claim(
    `${name} is active: ${nodes.desired} of ${nodes.desired} nodes ready, and the operator's own ledger has exactly these.`,
    status === 'active' && nodes.ready === nodes.desired && ready.length === nodes.desired && isSame,
    { status, nodes, listed: ready.length, built: built.size },
  )
}

export async function showWaiting(tour: Tour, { request }: Asker, { national }: Story): Promise<Allocation> {
  const { client, claim, say, signal, now } = tour
  const asked = await client.createAllocation(request, { signal })
  const { waitlist } = asked
  const estimate = waitlist?.estimatedStart ?? null
  const promise = waitlist?.promisedStart ?? null
  say(`It asks for ${asked.nodes.desired} nodes: no. ${waitlist?.position} in line. ${waitlist?.reason ?? ''}`)
  claim(
    `It waits with an estimate, ${instant(estimate)} UTC, and a promise, ${instant(promise)} UTC at the latest.`,
    asked.status === 'waitlisted' &&
      estimate !== null &&
      promise !== null &&
      Date.parse(estimate) > now() &&
      Date.parse(promise) >= Date.parse(estimate),
    asked,
  )
  const releasedAt = now()
  await client.releaseAllocation(national.id, { reason: 'finished' }, { signal })
  const [gone, started] = await followAll(tour, [national, asked], {
    isDone: (one) => (one.id === national.id ? isOver(one.status) : isUp(one)),
    timeoutMs: ACTIVE_WITHIN_MS,
  })
  claim('The national project is released.', gone?.status === 'released', gone?.status)
  const waited = started ?? asked
  await claimItRuns(tour, waited)
  claim(
    `The institute starts ${duration(now() - releasedAt)} after that release, long before its estimate.`,
    waited.activeAt !== null && estimate !== null && Date.parse(waited.activeAt) < Date.parse(estimate),
    waited.activeAt,
  )
  await claimDecided(tour, waited)
  return waited
}

/** Why it waited and why it started stands in the store. */
async function claimDecided({ client, claim, signal }: Tour, { id }: Allocation): Promise<void> {
  const decisions = await collect(client.listAllocationDecisions(id, { signal }))
  const kinds = decisions.map(({ kind }) => kind)
  claim(
    `Its ${decisions.length} decisions are kept, each with its candidates and a digest of its inputs: ${kinds.join(', ')}.`,
    kinds[0] === 'waitlist' &&
      kinds.length > 1 &&
      decisions.every(({ inputDigest }) => /^[0-9a-f]{64}$/.test(inputDigest)),
    kinds,
  )
}

/** Ends all that has not ended, and waits until the operators' lists no longer have the nodes. */
export async function releaseAll(tour: Tour, allocations: readonly Allocation[]): Promise<readonly Allocation[]> {
  const { client, claim, signal } = tour
  const now = await Promise.all(allocations.map(({ id }) => client.getAllocation(id, { signal })))
  const running = now.filter(({ status }) => !isOver(status))
  for (const { id } of running) await client.releaseAllocation(id, { reason: 'finished' }, { signal })
  await followAll(tour, running, { isDone: ({ status }) => isOver(status), timeoutMs: GONE_WITHIN_MS })
  const ended = await Promise.all(allocations.map(({ id }) => client.getAllocation(id, { signal })))
  claim(
    `All ${ended.length} allocations are released, as the operators' own lists confirm.`,
    ended.every(({ status }) => status === 'released'),
    ended.map(({ name, status }) => `${name}: ${status}`),
  )
  return ended
}

export const isUp = ({ status }: Allocation): boolean => status === 'active' || isOver(status)

interface Following {
  readonly isDone: (allocation: Allocation) => boolean
  readonly timeoutMs: number
}

/** Shows how they come along. What is not done in time is for the claims to say. */
export async function followAll(
  tour: Tour,
  allocations: readonly Allocation[],
  following: Following,
): Promise<readonly Allocation[]> {
  const { client, terminal, now, pause, signal } = tour
  const progress = createProgress({ terminal, now, indent: '  ' })
  const ids = allocations.map(({ id }) => id)
  const onLook = (seen: readonly Allocation[]): void => progress.show(seen)
  const { allocations: seen } = await follow({
    client,
    ids,
    onLook,
    now,
    pause,
    signal,
    intervalMs: LOOK_EVERY_MS,
    ...following,
  })
  progress.leave()
  return seen
}

async function clusterOf(
  { client, signal }: Tour,
  { placement }: Allocation,
): Promise<Awaited<ReturnType<typeof client.getCluster>> | null> {
  return placement === null ? null : await client.getCluster(placement.clusterId, { signal })
}
