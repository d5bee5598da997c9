/**
 * One look at one allocation: what is stored, what the provider lists, what `core/reconcile.ts` says of the two, and the
 * calls that follow. It holds the allocation's claim throughout, opens no transaction while it waits for a provider, and
 * may end at any line: the next look, here or elsewhere, goes on from what is stored and what is listed.
 */
import { ProviderError } from '../../shared/provider-error.ts'
import { isWithin, type ProviderNode } from '../../shared/provider.ts'
import { type EpochMs, MINUTE_MS, SECOND_MS } from '../../shared/time.ts'
import { adoptedIds, underOurNames } from '../core/adopted.ts'
import { type Plan, reconcile, type Step, takesForGone } from '../core/reconcile.ts'
import type { Claim } from '../app/claim.ts'
import type { AllocationRow, NodeGroupRow, NodeRow } from '../store/changes.ts'
import { endAtItsEnd } from '../app/end-at-its-end.ts'
import { recordGiveBack } from '../app/give-back.ts'
import { isLeaving } from '../app/leaving.ts'
import type { Building } from '../app/name-nodes.ts'
import { leaveProvider } from '../app/leave-provider.ts'
import { recordAnswers } from '../app/record-answers.ts'
import { mustRecord, recordLook } from '../app/record-look.ts'
import { startAllocation } from '../app/start-allocation.ts'
import type { ProviderEntry } from '../providers/directory.ts'
import { postpone, readSituation } from '../store/looks.ts'
import { inSpan } from '../tracing.ts'
import { patienceMs, type Taken } from './pace.ts'
import { callFor, carryOut, isFrozen, type LookContext } from './steps.ts'

interface Stored {
  readonly row: AllocationRow
  readonly nodes: readonly NodeRow[]
  readonly groups: readonly NodeGroupRow[]
}

/** Generations of one ordinal: the first and three replacements. */
const MAX_GENERATIONS = 4

/** @returns the id of the trace that it belongs to; null where there was nothing to look at */
export async function look(context: LookContext, claim: Claim): Promise<string | null> {
  const stored = await readSituation(context.app.database.queries, claim.id)
  if (stored === null || stored.row.claimToken !== claim.token) return null
  const { id, status } = stored.row
  const attributes = { 'gpu_broker.allocation.id': id, 'gpu_broker.allocation.status': status }
  const under = traceOf(stored.row, context.app.now())
  return inSpan({ name: 'look', ...under, attributes, fields: { allocationId: id } }, async ({ traceId }) => {
    await lookAt(context, claim, stored)
    return traceId
  })
}

/** What is being done belongs to the trace of who asked for it. Where nothing is, looks go on for months: each is its own. */
function traceOf(row: AllocationRow, now: EpochMs): { readonly parent: string | null; readonly link?: string | null } {
  const isSettled = row.status === 'active' && row.nodes === row.desiredNodes && !isLeaving(row, now)
  return isSettled ? { parent: null, link: row.traceparent } : { parent: row.traceparent }
}

async function lookAt(context: LookContext, claim: Claim, stored: Stored): Promise<void> {
  const { row } = stored
  const now = context.app.now()
  if (row.status === 'scheduled') return begin(context, claim, row)
  if (isLeaving(row, now)) return giveBack(context, claim, stored)
  if (row.status === 'preempting') return pauseUntil(context, claim, row, row.endAt)
  if (row.status !== 'provisioning' && row.status !== 'active') return pauseUntil(context, claim, row, null)
  if (row.endAt !== null && row.endAt <= now) return context.app.writer.run(endAtItsEnd(claim))
  return hold(context, claim, stored)
}

/**
 * Of one that begins nothing can stand anywhere yet: where the provider answers, its nodes are asked for without a look
 * before. Where it does not, the first look finds that out, and nothing has been asked for that could be there.
 */
async function begin(context: LookContext, claim: Claim, row: AllocationRow): Promise<void> {
  const entry = entryOf(context, row)
  const asks = isWell(entry) && !(await isFrozen(context, entry.id))
  const begun = await context.app.writer.run(startAllocation(claim, { ...buildingAt(entry, row), asks }))
  if (begun === null) return
  const steps = begun.groups.map(({ name }): Step => ({ step: 'create', group: name }))
  await act(context, claim, { ...begun, plan: { steps, counts: { ready: 0, failed: 0 }, ready: false } })
}

/** Its last calls were answered. */
function isWell(entry: ProviderEntry): boolean {
  const { failing, lastSuccessAt } = entry.health()
  return lastSuccessAt !== null && !failing && entry.failingSince('create') === null
}

/** A cluster that is not configured has no network: nothing is placed there. */
function buildingAt({ provider, served }: ProviderEntry, { clusterId }: AllocationRow): Building {
  const cluster = served.find((one) => one.clusterId === clusterId)
  return {
    maxBatch: provider.capabilities.maxBatch,
    pool: { networks: cluster?.networks ?? [], shared: cluster?.isolation === 'shared' },
  }
}

function entryOf({ directory }: LookContext, row: AllocationRow): ProviderEntry {
  const entry = directory.get(row.providerId ?? '')
  if (entry === null) throw new Error(`no provider ${row.providerId} is configured`)
  return entry
}

const pauseUntil = (
  context: LookContext,
  claim: Claim,
  { version }: AllocationRow,
  at: EpochMs | null,
): Promise<void> => postpone(context.app.database.queries, { ...claim, version, at })

async function hold(context: LookContext, claim: Claim, stored: Stored): Promise<void> {
  const { app, pace } = context
  const { row, nodes, groups } = stored
  const entry = entryOf(context, row)
  const lookedAt = app.now()
  const seen = await compare(context, claim, stored, 'hold')
  if (seen === null) return
  const plan = (await isFrozen(context, entry.id)) ? { ...seen, steps: [] } : seen
  const noted = mustRecord(plan, row)
    ? await app.writer.run(recordLook(claim, { plan, version: row.version }, buildingAt(entry, row)))
    : row
  if (noted === null) return
  if (plan.steps.some((step) => step.step === 'give-up')) return // the next look gives it back
  pace.noteBoot(row, { groups, plan, lookedAt })
  await act(context, claim, { row: noted, nodes, groups, plan }, lookedAt)
}

/** Takes the steps, notes what was answered, and says when to look again. @param lookedAt where it followed from a list */
async function act(
  context: LookContext,
  claim: Claim,
  taken: Omit<Taken, 'answers'>,
  lookedAt?: EpochMs,
): Promise<void> {
  const { app, pace } = context
  const entry = entryOf(context, taken.row)
  const answers = await carryOut(context, { ...taken, entry }, taken.plan.steps)
  if (answers.length > 0) await app.writer.run(recordAnswers(claim, answers))
  if (answers.some(({ error }) => isUnanswered(error)) && (await leave(context, claim, entry, 'create'))) return
  await postpone(app.database.queries, {
    ...claim,
    version: taken.row.version,
    at: pace.nextHold({ ...taken, answers }, app.now()),
    ...(lookedAt !== undefined && { readySeenAt: lookedAt }),
  })
}

/** Nodes in quarantine are asked to go for as long as they are listed, at this pace in the end. */
const QUARANTINE_LOOK_MS = MINUTE_MS

async function giveBack(context: LookContext, claim: Claim, stored: Stored): Promise<void> {
  const { app } = context
  const plan = await compare(context, claim, stored, 'release')
  if (plan === null) return
  if (!(await app.writer.run(recordGiveBack(claim, plan))) || plan.gone) return
  await carryOut(context, { ...stored, entry: entryOf(context, stored.row) }, plan.steps)
  const longestMs = stored.nodes.some((node) => node.status === 'quarantined') ? QUARANTINE_LOOK_MS : undefined
  await pauseUntil(context, claim, stored.row, app.now() + patienceMs(app.now() - stored.row.updatedAt, longestMs))
}

/** Nothing that we asked wrongly, and nothing that a key would mend: there is nobody to answer. */
const isUnanswered = (error: ProviderError | null): boolean =>
  error?.kind === 'unreachable' || error?.kind === 'malformed'

/** @returns whether the allocation leaves a provider that has been down for longer than it is given */
async function leave(
  { app, providerDownMs }: LookContext,
  claim: Claim,
  entry: ProviderEntry,
  kind: 'read' | 'create',
): Promise<boolean> {
  const failingSince = entry.failingSince(kind)
  if (failingSince === null || app.now() - failingSince < providerDownMs) return false
  return app.writer.run(leaveProvider(claim, { failingSince, allowanceMs: providerDownMs }))
}

/** Of what is built now: what was built elsewhere before, and given back, does not count. */
const firstGeneration = (nodes: readonly NodeRow[]): number =>
  nodes.reduce(
    (least, node) => (node.status === 'deleted' ? least : Math.min(least, node.generation)),
    Number.MAX_SAFE_INTEGER,
  )

/** Null when the provider's list could not be had: nothing is decided without it. */
async function compare(
  context: LookContext,
  claim: Claim,
  { row, nodes, groups }: Stored,
  intent: 'hold' | 'release',
): Promise<Plan | null> {
  const { provider } = entryOf(context, row)
  const planFor = (found: readonly ProviderNode[], now: EpochMs): Plan =>
    reconcile({
      intent,
      wanted: nodes,
      groups,
      found,
      now,
      visibilityDelayMs: provider.capabilities.visibilityDelayMs,
      joinsFabric: provider.capabilities.joinsFabric,
      maxGenerations: firstGeneration(nodes) - 1 + MAX_GENERATIONS,
      standing: row.status === 'active',
    })
  const adopted = adoptedIds(nodes)
  const whole = { installationId: context.installationId, ...(adopted.length > 0 && { adopted }) }
  const filter = { ...whole, allocationId: row.id }
  try {
    // What a list tells may be as old as the question: one that was long on its way is no newer for that.
    const askedAt = context.app.now()
    const found = await provider.listNodes(filter, callFor(context, row))
    const plan = planFor(underOurNames(found, nodes, intent), askedAt)
    // Where the operator finds an allocation's nodes by their names, one that was renamed there looks gone. It is not: a
    // second one would be made for it, or its place given away, so the whole list is asked first.
    if (provider.capabilities.findsByOwner === 'scan' || !takesForGone(plan, found)) return plan
    const askedAgainAt = context.app.now()
    const all = await provider.listNodes(whole, callFor(context, row))
    const own = all.filter((node) => isWithin(filter, node))
    return planFor(underOurNames(own, nodes, intent), askedAgainAt)
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    context.log('the provider’s list could not be had', { allocationId: row.id, kind: error.kind, code: error.code })
    const entry = entryOf(context, row)
    if (intent === 'hold' && isUnanswered(error) && (await leave(context, claim, entry, 'read'))) return null
    await pauseUntil(context, claim, row, context.app.now() + Math.max(2 * SECOND_MS, error.retryAfterMs ?? 0))
    return null
  }
}
