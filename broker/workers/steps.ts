/** Taking the steps that a look came to: the calls of the contract, each with its deadline, and what they answered. */
import { ProviderError } from '../../shared/provider-error.ts'
import type { Call, DeleteRequest } from '../../shared/provider.ts'
import { SECOND_MS } from '../../shared/time.ts'
import type { App } from '../app/app.ts'
import type { AllocationRow, NodeGroupRow, NodeRow } from '../store/changes.ts'
import { frozenProviders } from '../store/operations.ts'
import { deletesHeld } from '../store/sweeps.ts'
import type { GroupAnswer } from '../app/record-answers.ts'
import { adoptedIds } from '../core/adopted.ts'
import type { Step } from '../core/reconcile.ts'
import { leasedNetwork } from '../store/network-leases.ts'
import type { ProviderDirectory, ProviderEntry, ServedCluster } from '../providers/directory.ts'
import { eachAtOnce } from './each.ts'
import type { Hands } from './hands.ts'
import type { Pace } from './pace.ts'

export interface LookContext {
  readonly app: App
  readonly directory: ProviderDirectory
  readonly installationId: string
  /** A provider that has not answered for so long is left by what is being built there. */
  readonly providerDownMs: number
  readonly pace: Pace
  readonly hands: Hands
  /** Ends every provider call when the broker stops. */
  readonly signal: AbortSignal
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void
}

/** What the steps are taken for. */
export interface Subject {
  readonly row: AllocationRow
  readonly nodes: readonly NodeRow[]
  readonly groups: readonly NodeGroupRow[]
  readonly entry: ProviderEntry
}

/** One call of the contract, waiting for its turn included. */
const CALL_DEADLINE_MS = 30 * SECOND_MS
/**
 * Groups asked for at once: at least so many, and what the operator's rate lets through in this time where each node is a
 * call of its own. Enough to fill the rate, and for one look of the adapter's to serve a whole cluster's groups; few enough
 * that none waits out its deadline.
 */
const LEAST_GROUPS_AT_ONCE = 6
const GROUPS_WITHIN_S = 6

const groupsAtOnce = ({ provider, traffic }: ProviderEntry): number =>
  Math.max(
    LEAST_GROUPS_AT_ONCE,
    Math.floor((traffic().ratePerSecond * GROUPS_WITHIN_S) / provider.capabilities.maxBatch),
  )

let operations = 0

export function callFor({ app, signal }: LookContext, row: AllocationRow): Call {
  operations += 1
  return { operationId: `${row.id}-${operations}`, deadlineAt: app.now() + CALL_DEADLINE_MS, signal }
}

/** Whether somebody holds the broker's hands at this provider. */
export const isFrozen = async ({ app }: LookContext, providerId: string): Promise<boolean> =>
  (await frozenProviders(app.database.queries)).has(providerId)

/** As if the provider had said "not now": nothing was sent. */
const frozen = () => new ProviderError('busy', 'the provider is frozen', { effect: 'none', code: 'FROZEN' })

/**
 * Takes the steps; what was answered to creates comes back. A failed delete or join is taken up by the next look, and so is
 * what a freeze has ended.
 */
export async function carryOut(context: LookContext, subject: Subject, steps: readonly Step[]): Promise<GroupAnswer[]> {
  if (steps.length === 0) return []
  return context.hands.at(subject.entry.id, context.signal, (signal) => takeAll({ ...context, signal }, subject, steps))
}

async function takeAll(context: LookContext, subject: Subject, steps: readonly Step[]): Promise<GroupAnswer[]> {
  const { row, entry } = subject
  const answers: GroupAnswer[] = []
  const creates = steps.filter((step) => step.step === 'create')
  const others = steps.filter((step) => step.step !== 'create')
  await eachAtOnce(others, 1, (step) => attempt(context, row, step.step, () => takeStep(context, subject, step)))
  const leave = shared(() => leaveToCreate(context, subject))
  await eachAtOnce(creates, groupsAtOnce(entry), async ({ group: name }) => {
    const group = subject.groups.find((one) => one.name === name)
    if (group === undefined) return
    const error = await create(context, subject, { group, leave })
    answers.push({ group: name, at: context.app.now(), error })
  })
  return answers
}

/** Those who ask while it is being read share the answer. */
function shared<T>(read: () => Promise<T>): () => Promise<T> {
  let reading: Promise<T> | null = null
  return () =>
    (reading ??= read().finally(() => {
      reading = null
    }))
}

interface Leave {
  readonly isFrozen: boolean
  /** Null where every network of the cluster is another organisation's. */
  readonly network: string | null
}

async function leaveToCreate(context: LookContext, { row, entry }: Subject): Promise<Leave> {
  const served = entry.served.find((one) => one.clusterId === row.clusterId)
  const [isHeld, network] = await Promise.all([isFrozen(context, entry.id), networkOf(context, row, served)])
  return { isFrozen: isHeld, network }
}

/** Steps that wait while deletions are held: what a restored store takes for unwanted may be in use. */
const GIVES_BACK: ReadonlySet<Step['step']> = new Set(['delete', 'leave-fabric'])

async function attempt(
  context: LookContext,
  row: AllocationRow,
  step: Step['step'],
  run: () => Promise<void>,
): Promise<void> {
  try {
    if (await isFrozen(context, row.providerId ?? '')) return
    if (GIVES_BACK.has(step) && (await deletesHeld(context.app.database.queries))) return
    await run()
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    if (error.kind === 'busy') return // as far as it goes now; the next look asks again
    context.log('a step was not taken', { allocationId: row.id, step, kind: error.kind, code: error.code })
  }
}

async function takeStep(context: LookContext, { row, nodes, entry: { provider } }: Subject, step: Step): Promise<void> {
  const clusterId = row.clusterId ?? ''
  const owner = { installationId: context.installationId, allocationId: row.id, group: fabricGroup(row) }
  switch (step.step) {
    case 'delete':
      return provider.deleteNodes(deletion(clusterId, step.providerInstanceIds, nodes), callFor(context, row))
    case 'join-fabric':
      await provider.joinFabric?.(
        { clusterId, owner, providerInstanceIds: step.providerInstanceIds },
        callFor(context, row),
      )
      return
    case 'leave-fabric':
      await provider.leaveFabric?.({ clusterId, owner }, callFor(context, row))
      return
    case 'create':
    case 'rename':
    case 'give-up':
      return // asked for beside these, or written down before
  }
}

function deletion(clusterId: string, providerInstanceIds: readonly string[], nodes: readonly NodeRow[]): DeleteRequest {
  const adopted = adoptedIds(nodes).filter((id) => providerInstanceIds.includes(id))
  return adopted.length === 0 ? { clusterId, providerInstanceIds } : { clusterId, providerInstanceIds, adopted }
}

async function networkOf(
  { app }: LookContext,
  row: AllocationRow,
  served: ServedCluster | undefined,
): Promise<string | null> {
  if (served === undefined || served.isolation === 'shared') return served?.networks[0] ?? null
  const { organizationId } = row
  return await leasedNetwork(app.database.queries, { clusterId: served.clusterId, organizationId })
}

const noNetwork = () =>
  new ProviderError('quota-exceeded', 'no network of the cluster is free for the organisation', {
    effect: 'none',
    code: 'NO_NETWORK',
  })

/** One interconnect group for the whole allocation, under the name of its first node group. */
const fabricGroup = (row: AllocationRow): string => `gb${row.id.slice(4)}-000`

async function create(
  context: LookContext,
  { row, entry }: Subject,
  { group, leave }: { readonly group: NodeGroupRow; readonly leave: () => Promise<Leave> },
): Promise<ProviderError | null> {
  const clusterId = row.clusterId ?? ''
  const served = entry.served.find((one) => one.clusterId === clusterId)
  const { isFrozen: isHeld, network } = await leave()
  if (isHeld) return frozen()
  if (network === null) return noNetwork()
  try {
    await entry.provider.createNodes(
      {
        name: group.name,
        size: group.size,
        clusterId,
        imageAlias: row.access.image ?? served?.images[0] ?? '',
        network,
        sshPublicKeys: row.access.sshPublicKeys ?? [],
        owner: { installationId: context.installationId, allocationId: row.id, group: group.name },
      },
      callFor(context, row),
    )
    return null
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    context.log('a group was not accepted', {
      allocationId: row.id,
      group: group.name,
      kind: error.kind,
      code: error.code,
    })
    return error
  }
}
