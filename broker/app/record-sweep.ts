/**
 * Writes down what a sweep found before anything is done about it: the findings, the room that they take, and which nodes
 * are about to be asked to go. What is found no more is forgotten.
 */
import type { EpochMs } from '../../shared/time.ts'
import { clusterOf, clustersIn, drainsOn } from '../core/calendar-reads.ts'
import { type Finding, findingKey } from '../core/sweep.ts'
import type { FindingRow } from '../store/changes.ts'
import { drainsOfFindings, type SweepClaim } from '../store/sweeps.ts'
import type { Draft } from './draft.ts'
import type { Member } from './decide-group.ts'
import { relocateOverbooked } from './relocate.ts'

export interface SweepResult {
  readonly startedAt: EpochMs
  readonly durationMs: number
  readonly findings: readonly Finding[]
  /** Provider instance ids that count already towards the bound per hour. */
  readonly asked: ReadonlySet<string>
  /** Whether something was found in the way of allocations that was not there before: somebody may have to move. */
  readonly moreInTheWay: boolean
}

/** @returns what nobody has been told of yet; null when the claim is lost: then nothing may be asked */
export function recordSweep(claim: SweepClaim, result: SweepResult): Member<readonly Finding[] | null> {
  const { providerId, token } = claim
  const { moreInTheWay } = result
  const missing = allocationsOf(result.findings, 'missing')
  return {
    needs: {
      sweeps: [providerId],
      allocations: [...missing, ...allocationsOf(result.findings, 'unknown')],
      adopted: moreInTheWay,
      waiting: moreInTheWay,
      scheduled: moreInTheWay,
    },
    decide(draft) {
      const sweep = draft.sweep(providerId)
      if (sweep?.claimToken !== token) return null
      draft.saveSweep({ ...sweep, startedAt: result.startedAt, durationMs: result.durationMs })
      const taken = takenOverAt(draft, providerId)
      const findings = result.findings.filter((one) => !isOurs(draft, taken, one))
      const before = new Map(
        draft
          .findingsAt(providerId)
          .filter(isOfNodes)
          .map((row) => [findingKey(row), row]),
      )
      const news = findings.filter((one) => isNews(one, before.get(findingKey(one))))
      for (const finding of findings) keep(draft, providerId, finding, before.get(findingKey(finding)))
      for (const { providerInstanceId, action, approved } of findings) {
        if (action === 'delete' && !approved && !result.asked.has(providerInstanceId)) {
          draft.noteSweepDeletion(providerId, providerInstanceId)
        }
      }
      const found = new Set(findings.map(findingKey))
      for (const [key, row] of before) if (!found.has(key)) draft.dropFinding(row)
      for (const finding of news) announceFinding(draft, providerId, finding)
      for (const id of new Set(missing)) lookNow(draft, id)
      occupyFound(draft, providerId)
      return news
    },
  }
}

const allocationsOf = (findings: readonly Finding[], kind: Finding['kind']): string[] =>
  findings.flatMap((one) => (one.kind === kind && one.allocationId !== null ? [one.allocationId] : []))

/** Nodes by their ids, of allocations that run. */
function takenOverAt(draft: Draft, providerId: string): ReadonlySet<string | null> {
  const running = draft.allocations().filter((row) => row.providerId === providerId && row.status === 'active')
  const nodes = running.flatMap((row) => draft.nodesOf(row.id)).filter((node) => node.adopted)
  return new Set(nodes.map((node) => node.providerInstanceId))
}

/** Somebody has entered its allocation, or taken it over, since the sweep read what the store believes. */
function isOurs(draft: Draft, taken: ReadonlySet<string | null>, finding: Finding): boolean {
  const { kind, allocationId, providerInstanceId } = finding
  if (kind === 'unknown') return allocationId !== null && draft.allocation(allocationId) !== null
  return kind === 'leftover' && taken.has(providerInstanceId)
}

/** What is beside nodes is found by others (`record-leftovers.ts`). */
const isOfNodes = ({ what }: FindingRow): boolean => what === 'node'

const isNews = (finding: Finding, before: FindingRow | undefined): boolean =>
  before === undefined || (finding.action === 'hold' && before.action !== 'hold')

function keep(draft: Draft, providerId: string, finding: Finding, before: FindingRow | undefined): void {
  const { action, approved } = finding
  // A person may have said something while the list was on its way; the next sweep, which they asked for, acts on it.
  const said =
    finding.kind === 'leftover' && before !== undefined
      ? { approved: before.approved, action: before.action }
      : { approved: approved || before?.approved === true, action }
  const row: FindingRow = { providerId, what: 'node', ...finding, ...said }
  const changed = before === undefined || before.action !== row.action || before.name !== finding.name
  if (changed || before.clusterId !== finding.clusterId) draft.saveFinding(row)
}

export function announceFinding(
  draft: Draft,
  providerId: string,
  finding: Omit<FindingRow, 'providerId' | 'what'>,
): void {
  const { kind, providerInstanceId, name, allocationId, clusterId, action } = finding
  draft.event({
    type: 'provider.finding',
    subject: `providers/${providerId}`,
    data: { kind, providerInstanceId, name, allocationId, clusterId, action },
  })
}

function lookNow(draft: Draft, allocationId: string): void {
  const row = draft.allocation(allocationId)
  if (row !== null && row.nextLookAt !== null) draft.save({ ...row, nextLookAt: draft.now })
}

/** Brings the calendar's drains for what was found at the provider in line with its findings. */
export function occupyFound(draft: Draft, providerId: string): void {
  const wanted = new Map(drainsOfFindings(draft.findingsAt(providerId)).map((drain) => [drain.id, drain]))
  for (const cluster of clustersIn(draft.calendar).filter((one) => one.providerId === providerId)) {
    for (const drain of drainsOn(draft.calendar, cluster.id)) {
      const isFound = drain.kind === 'unknown' || drain.kind === 'foreign'
      if (isFound && !wanted.has(drain.id)) draft.apply({ op: 'lift-drain', drainId: drain.id })
      const same = wanted.get(drain.id)
      if (same?.nodes === drain.nodes && same.from === drain.from) wanted.delete(drain.id)
    }
  }
  for (const drain of wanted.values()) {
    if (clusterOf(draft.calendar, drain.clusterId) === null) continue
    draft.apply({ op: 'drain', drain })
    relocateOverbooked(draft, drain.clusterId, { cause: 'drain', causeId: drain.id })
  }
}
