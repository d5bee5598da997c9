/**
 * Day one of a fleet in use: takes running grants over as `active`, without touching a node at its operator. All of it or
 * nothing, in one transaction; without `apply` the same is decided, told, and thrown away. A node is known from then on
 * by its instance id, so the same file once more finds everything taken over already, and changes nothing.
 */
import type { ImportReport, ImportRequest } from '../../shared/fleet-import.ts'
import type { ProviderNode } from '../../shared/provider.ts'
import { type FieldError, invalidRequest, Refusal } from '../../shared/refusal.ts'
import { clusterOf, reservationOf } from '../core/calendar-reads.ts'
import { shortfallWithin } from '../core/overbooked.ts'
import type { App } from './app.ts'
import type { Answer, Caller, Command, Scope } from './command.ts'
import type { Draft } from './draft.ts'
import { type FoundNodes, instanceKey, takeAllocation } from './import-allocation.ts'
import type { Needs } from '../store/group.ts'
import { occupyFound } from './record-sweep.ts'
import { isAsRequested, registered } from './put-approval.ts'
import { relocateOverbooked } from './relocate.ts'

export interface Importing {
  readonly request: ImportRequest
  readonly apply: boolean
  /** What an operator lists of these instance ids, whatever tag they carry. @throws Refusal `unavailable` */
  readonly list: (providerId: string, ids: readonly string[]) => Promise<readonly ProviderNode[]>
}

/**
 * @throws Refusal `invalid-request` with every problem that was found, where it was to be applied; `insufficient-scope` for
 *   approvals from a caller who may register none
 */
export async function importFleet(app: App, command: Command, importing: Importing): Promise<Answer<ImportReport>> {
  const { request, apply } = importing
  assertMayRegister(command.caller, request)
  const found = await foundNodes(app, importing)
  const needs: Needs = {
    sweeps: [...found.providerIds],
    approvals: [...(request.approvals ?? []).map(({ id }) => id), ...(request.allocations ?? []).map(approvalIdOf)],
    adopted: true,
    waiting: true,
    scheduled: true,
  }
  if (apply) {
    return app.writer.answer(command, {
      needs,
      decide(draft) {
        const report = takeOver(draft, command.caller, request, found)
        if (report.problems.length > 0) throw invalidRequest(report.problems)
        return { body: { ...report, applied: true }, etag: null }
      },
    })
  }
  const tried = await app.writer
    .run<never>({
      needs,
      decide(draft) {
        throw new OnlyTried(takeOver(draft, command.caller, request, found))
      },
    })
    .catch((error: unknown) => error)
  if (!(tried instanceof OnlyTried)) throw tried
  return { body: { ...tried.report, applied: false }, etag: null, replayed: false }
}

/** Taking over what runs is an operation; saying who may have how much is not, whatever way it is asked for. */
function assertMayRegister({ scopes }: Caller, { approvals = [] }: ImportRequest): void {
  const scope: Scope = 'approvals:write'
  if (approvals.length === 0 || scopes.has(scope)) return
  throw new Refusal('insufficient-scope', `A file with approvals needs a token with scope ${scope} too.`, { scope })
}

type Report = Omit<ImportReport, 'applied'>

/** A refusal leaves no trace of what was decided before it: so is it found out what would be done. */
class OnlyTried extends Refusal {
  readonly report: Report

  constructor(report: Report) {
    super('invalid-request', 'This was only tried.')
    this.report = report
  }
}

const approvalIdOf = ({ approvalId }: { readonly approvalId: string }): string => approvalId

interface Found {
  readonly nodes: FoundNodes
  /** Operators of the clusters in the file. */
  readonly providerIds: ReadonlySet<string>
}

/** Asked before anything is decided: no operator is waited for in a transaction. */
async function foundNodes(app: App, { request, list }: Importing): Promise<Found> {
  const calendar = await app.cache.read()
  const idsAt = new Map<string, Set<string>>()
  for (const { clusterId, providerInstanceIds } of request.allocations ?? []) {
    const cluster = clusterOf(calendar, clusterId)
    if (cluster?.mapped !== true) continue // told as a problem of the entry
    const ids = idsAt.get(cluster.providerId) ?? new Set()
    for (const id of providerInstanceIds) ids.add(id)
    idsAt.set(cluster.providerId, ids)
  }
  const lists = await Promise.all(
    [...idsAt].map(async ([providerId, ids]) => {
      const nodes = await list(providerId, [...ids])
      return nodes.map((node) => [instanceKey(providerId, node.providerInstanceId), node] as const)
    }),
  )
  return { nodes: new Map(lists.flat()), providerIds: new Set(idsAt.keys()) }
}

function takeOver(draft: Draft, caller: Caller, request: ImportRequest, found: Found): Report {
  const problems: FieldError[] = []
  const approvals = (request.approvals ?? []).map(({ id, ...facts }, index) => {
    const before = draft.approval(id)
    const problem = approvalProblem(caller, id, before === null || isAsRequested(before, facts))
    if (problem !== null) problems.push({ pointer: `/approvals/${index}${problem.pointer}`, detail: problem.detail })
    else if (before === null) registered(draft, id, facts)
    const effect = before === null ? ('create' as const) : ('unchanged' as const)
    return { id, organizationId: facts.organizationId, effect }
  })
  const owners = ownersOf(draft)
  const allocations = (request.allocations ?? []).map((one, index) => {
    const taken = takeAllocation(draft, caller, one, { found: found.nodes, owners })
    for (const { pointer, detail } of taken.problems)
      problems.push({ pointer: `/allocations/${index}${pointer}`, detail })
    const { approvalId, name, clusterId, providerInstanceIds } = one
    const { effect, allocationId } = taken
    return { name, approvalId, clusterId, nodes: providerInstanceIds.length, effect, allocationId }
  })
  for (const providerId of found.providerIds) forgetFindings(draft, providerId, owners)
  problems.push(...makeRoom(draft, allocations))
  return { approvals, allocations, problems }
}

function approvalProblem(caller: Caller, id: string, fits: boolean): FieldError | null {
  if (caller.organizationId !== null || caller.providerId !== null) {
    return {
      pointer: '',
      detail: 'may be registered only by a caller that is bound to no organisation and no operator',
    }
  }
  if (fits) return null
  return {
    pointer: '/id',
    detail: `${id} is registered already, with other facts: change it with PUT, or leave it out`,
  }
}

/** Which allocation has which node that was taken over, ended ones included. */
function ownersOf(draft: Draft): Map<string, string> {
  const owners = new Map<string, string>()
  for (const row of draft.allocations()) {
    for (const { adopted, providerInstanceId } of draft.nodesOf(row.id)) {
      if (adopted && providerInstanceId !== null)
        owners.set(instanceKey(row.providerId ?? '', providerInstanceId), row.id)
    }
  }
  return owners
}

/** A sweep has counted them as somebody else's: now they are an allocation's, and are not counted twice. */
function forgetFindings(draft: Draft, providerId: string, owners: ReadonlyMap<string, string>): void {
  for (const finding of draft.findingsAt(providerId)) {
    const isTaken = owners.has(instanceKey(providerId, finding.providerInstanceId))
    if (finding.kind === 'leftover' && isTaken) draft.dropFinding(finding)
  }
  occupyFound(draft, providerId)
}

/** What has not started gives way to what runs; more than the cluster has cannot run there. */
function makeRoom(draft: Draft, allocations: ImportReport['allocations']): FieldError[] {
  const problems: FieldError[] = []
  for (const [index, { allocationId, clusterId, effect }] of allocations.entries()) {
    const reservation =
      allocationId === null || effect === 'unchanged' ? null : reservationOf(draft.calendar, allocationId)
    if (allocationId === null || reservation === null) continue
    relocateOverbooked(draft, clusterId, { cause: 'fault', causeId: allocationId })
    if (shortfallWithin(draft.calendar, clusterId, { start: draft.now, end: reservation.heldUntil })) {
      const pointer = `/allocations/${index}/clusterId`
      problems.push({ pointer, detail: `${clusterId} has fewer nodes than would run there` })
    }
  }
  return problems
}
