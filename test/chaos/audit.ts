/** What must be true of a run, whatever happened in it. Each finding is a sentence; none is the aim. */
import type { Allocation } from '../../shared/allocation.ts'
import { CloudEvent } from '../../shared/event.ts'
import { Reconciliation } from '../../shared/reconciliation.ts'
import { pageOf } from '../../shared/text.ts'
import { eventually } from '../durability/eventually.ts'
import { OPERATORS } from '../durability/operators.ts'
import type { ApiClient } from '../support/api-client.ts'
import type { OperatorId } from '../support/sandbox.ts'
import { type Asker, isKept, untilAnswered } from './ask.ts'
import { allocationsOf, readyNodes, surely } from './settle.ts'
import type { ChaosSystem } from './system.ts'

/** Deletions that are under way, and what sweeps have to take away: some rounds of each. */
const LEDGER_PATIENCE_MS = 60_000

/** What stands at the operators, nodes and other things, by kind, id and name. */
export async function standing(system: ChaosSystem, operator: OperatorId): Promise<readonly string[]> {
  const { nodes, others } = await system.operators.ledger(operator)
  return [...nodes.map((node) => ({ ...node, kind: 'node' })), ...others]
    .filter(({ deletedAt }) => deletedAt === null)
    .map(({ kind, id, name }) => `${kind} ${id} ${name}`)
}

interface Difference {
  readonly operator: OperatorId
  readonly orphans: readonly string[]
  readonly lost: number
}

/**
 * Each operator's ledger against the store: exactly the nodes that are shown as ready stand (invariants 2 and 3). Both are
 * read again until they agree, because whoever waits may start at any time.
 */
export async function ledgersEqualStore(system: ChaosSystem, approvalId: string): Promise<readonly string[]> {
  const last = await lastOf(
    () => differences(system, approvalId),
    (all) => all.every(({ orphans, lost }) => orphans.length === 0 && lost === 0),
  )
  const found: string[] = []
  for (const { operator, orphans, lost } of last) {
    if (lost > 0) found.push(`${lost} nodes are shown as ready and do not stand at ${operator}`)
    if (orphans.length === 0) continue
    const { findings } = await reconciliationAt(system, operator)
    const swept = findings
      .map(({ kind, name, action, since }) => `${kind} ${name}: ${action} since ${since}`)
      .join(', ')
    found.push(
      `${orphans.length} nodes stand at ${operator} that no allocation wants: ${orphans.join(', ')}; its last sweep found ${swept || 'nothing'}`,
    )
  }
  return found
}

async function differences(system: ChaosSystem, approvalId: string): Promise<readonly Difference[]> {
  const { platform } = system
  const wanted = new Map<string, Set<string>>(OPERATORS.map((operator) => [operator, new Set()]))
  const active = (await allocationsOf(platform, approvalId)).filter(({ status }) => status === 'active')
  for (const { id, placement } of active)
    for (const node of await readyNodes(platform, id))
      wanted.get(placement?.providerId ?? '')?.add(node.providerInstanceId ?? '')
  const found: Difference[] = []
  for (const operator of OPERATORS) {
    const ids = wanted.get(operator) ?? new Set()
    const nodes = (await standing(system, operator)).filter((one) => one.startsWith('node '))
    const orphans = nodes.filter((one) => !ids.has(one.split(' ')[1] ?? ''))
    found.push({ operator, orphans, lost: ids.size - (nodes.length - orphans.length) })
  }
  return found
}

/** With everything given back: nothing stands that was not there from the start. */
export async function nothingIsLeft(system: ChaosSystem, atStart: ReadonlySet<string>): Promise<readonly string[]> {
  const found: string[] = []
  for (const operator of OPERATORS) {
    const left = await lastOf(
      async () => (await standing(system, operator)).filter((one) => !atStart.has(one)),
      (there) => there.length === 0,
    )
    if (left.length > 0) found.push(`${left.length} things are left at ${operator}: ${left.slice(0, 3).join(', ')}`)
  }
  return found
}

/** What was read last, once it is as wanted or the patience has ended. */
async function lastOf<T>(read: () => Promise<T>, wanted: (value: T) => boolean): Promise<T> {
  let last = await read()
  await eventually('it', async () => (last = await read()), wanted, LEDGER_PATIENCE_MS).catch(() => undefined) // the caller tells what it was instead
  return last
}

/** What was answered is answered the same again, and nothing exists that nobody was told of (invariant 4). */
export async function answersStand(
  platform: ApiClient,
  { answered, created }: Asker,
  all: readonly Allocation[],
): Promise<readonly string[]> {
  const found: string[] = []
  for (const { request, status, text } of answered.filter(isKept)) {
    const again = await untilAnswered(platform, request, () => undefined)
    if (again.status !== status || again.text !== text)
      found.push(
        `${request.path} was answered ${status} ${text.slice(0, 300)}, and now ${again.status} ${again.text.slice(0, 300)}`,
      )
  }
  const told = new Set(created.flatMap((one) => (one === null ? [] : [one.id])))
  const unheard = all.filter(({ id }) => !told.has(id)).length
  const lost = told.size - (all.length - unheard)
  if (unheard > 0) found.push(`${unheard} allocations exist that nobody was told of`)
  if (lost > 0) found.push(`${lost} allocations that were acknowledged are gone`)
  return found
}

/** At no instant were more nodes of a cluster given than it has (invariant 1): what ran when, by the broker's own word. */
export function noDoubleGrants(all: readonly Allocation[], sizes: Readonly<Record<string, number>>): readonly string[] {
  const grants = all.flatMap(({ id, placement, activeAt, releasedAt }) => {
    if (placement === null || activeAt === null) return []
    const to = releasedAt === null ? Number.POSITIVE_INFINITY : Date.parse(releasedAt)
    return [{ id, clusterId: placement.clusterId, nodes: placement.nodes, from: Date.parse(activeAt), to }]
  })
  const found: string[] = []
  for (const [clusterId, there] of Map.groupBy(grants, (one) => one.clusterId)) {
    const size = sizes[clusterId] ?? 0
    for (const { from: at } of there) {
      const held = there.filter(({ from, to }) => from <= at && at < to)
      const nodes = held.reduce((sum, one) => sum + one.nodes, 0)
      if (nodes <= size) continue
      const whose = held.map(({ id, nodes: own, from, to }) => `${own} of ${id} from ${from} to ${to}`).join(', ')
      found.push(`${nodes} nodes of ${clusterId} ran at ${at}, and it has ${size}: ${whose}`)
    }
  }
  return found
}

/** No number of the log is missing, and each allocation's last word there is its status. */
export async function logIsWhole(platform: ApiClient, all: readonly Allocation[]): Promise<readonly string[]> {
  const found: string[] = []
  const lastOf = new Map<string, string>()
  let last = 0
  let after: string | null = ''
  while (after !== null) {
    const path: string = `/v1/events?limit=500${after === '' ? '' : `&cursor=${after}`}`
    const page = (await surely(() => platform.get(path))).as(200, pageOf(CloudEvent))
    for (const { sequence, type, subject } of page.items) {
      if (sequence !== last + 1) found.push(`event ${sequence} follows ${last}`)
      last = sequence
      const word = type.slice(type.lastIndexOf('.') + 1)
      if (STATUS_WORDS.has(word)) lastOf.set(subject, word)
    }
    after = page.nextCursor === null ? null : encodeURIComponent(page.nextCursor)
  }
  for (const { id, status } of all) {
    const told = lastOf.get(`allocations/${id}`)
    if (told !== status) found.push(`${id} is ${status}, and the log says ${told ?? 'nothing'} last`)
  }
  return found
}

const STATUS_WORDS: ReadonlySet<string> = new Set([
  ...[
    'waitlisted',
    'scheduled',
    'provisioning',
    'active',
    'preempting',
    'releasing',
    'released',
    'failed',
    'cancelled',
  ],
])

const reconciliationAt = async ({ platform }: ChaosSystem, operator: OperatorId): Promise<Reconciliation> =>
  (await surely(() => platform.get(`/v1/providers/${operator}/reconciliation`))).as(200, Reconciliation)

/** What sweeps still find, once everything is in order. */
export async function sweepsFindNothing(system: ChaosSystem): Promise<readonly string[]> {
  const found: string[] = []
  for (const operator of OPERATORS) {
    const left = await lastOf(
      () => reconciliationAt(system, operator),
      ({ findings }) => findings.length === 0,
    )
    for (const { kind, name, action } of left.findings)
      found.push(`a sweep of ${operator} finds ${kind} ${name}: ${action}`)
  }
  return found
}

/** Of failed allocations only those that the plan can account for: nodes that failed at one place after another. */
export const failuresAreExplained = (all: readonly Allocation[]): readonly string[] =>
  all
    .filter((one) => one.status === 'failed' && one.statusReason?.startsWith('node-failed') !== true)
    .map(({ id, statusReason }) => `${id} has failed: ${statusReason ?? 'nobody says why'}`)
