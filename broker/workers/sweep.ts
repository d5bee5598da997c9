/**
 * Sweeps each provider on a schedule, after every start, and when a person has said something about a finding: its whole
 * list is compared with the store (`core/sweep.ts`), what was found is written down, and then what may go is asked to go.
 * One replica sweeps a provider at a time; a sweep may end at any line, and the next one begins from the list.
 */
import { randomUUID } from 'node:crypto'
import { ProviderError } from '../../shared/provider-error.ts'
import type { Call, OtherNode, ProviderNode } from '../../shared/provider.ts'
import { type EpochMs, MINUTE_MS, SECOND_MS } from '../../shared/time.ts'
import { recordSweep, type SweepResult } from '../app/record-sweep.ts'
import { adoptedIds, underOurTag } from '../core/adopted.ts'
import { decideActions, type Finding, findingKey, findingsOf, type Permission } from '../core/sweep.ts'
import type { ProviderEntry } from '../providers/directory.ts'
import type { Changes } from '../store/changes.ts'
import { adoptedAt } from '../store/allocations.ts'
import {
  askedWithinHour,
  claimSweep,
  deletesHeld,
  findingsAt,
  readBelief,
  releaseSweep,
  renewSweep,
  type SweepClaim,
} from '../store/sweeps.ts'
import { eachAtOnce } from './each.ts'
import { keepLease, LEASE_MS } from './lease.ts'
import { type Loop, startLoop } from './loop.ts'
import { isFrozen, type LookContext } from './steps.ts'

export interface SweepSettings {
  readonly intervalMs: number
  /** Per provider, without a person. */
  readonly maxDeletesPerHour: number
}

export interface SweepOptions extends LookContext {
  readonly settings: SweepSettings
  /** For what a person must see to. */
  readonly page: (message: string, fields: Readonly<Record<string, unknown>>) => void
  readonly onError: (error: unknown, fields: Readonly<Record<string, unknown>>) => void
}

export interface SweepsWorker extends Loop {
  noticed(changes: Changes): void
}

/** How often it is looked whether a sweep is due that another replica was asked for. */
const CHECK_MS = 5 * SECOND_MS
/** A list that could not be had is asked for again after this. */
const RETRY_MS = 30 * SECOND_MS
const LIST_WITHIN_MS = 2 * MINUTE_MS
const DELETE_WITHIN_MS = 30 * SECOND_MS
const DELETES_IN_A_CALL = 20

export function startSweeps(options: SweepOptions): SweepsWorker {
  const loops = new Map(options.directory.entries.map((entry) => [entry.id, startOne(options, entry)]))
  return {
    poke() {
      for (const loop of loops.values()) loop.poke()
    },
    async stop() {
      await Promise.all([...loops.values()].map((loop) => loop.stop()))
    },
    noticed(changes) {
      // A sweep's own row lies behind it; one that was asked for lies ahead.
      for (const row of changes.sweeps.values())
        if (row.nextAt > (row.startedAt ?? 0)) loops.get(row.providerId)?.poke()
    },
  }
}

function startOne(options: SweepOptions, entry: ProviderEntry): Loop {
  let early = true
  let dueAt: EpochMs = 0
  return startLoop({
    pauseAfterErrorMs: RETRY_MS,
    onError: (error) => options.onError(error, { providerId: entry.id }),
    async round() {
      const nextAt = await sweepIfDue(options, entry, early)
      if (nextAt !== null) {
        early = false
        dueAt = nextAt
      }
      // Poked too early, it waits for its own time; where that is past, another replica has the sweep.
      const waitMs = dueAt - options.app.now()
      return nextAt === null && waitMs <= 0 ? CHECK_MS : Math.min(CHECK_MS, waitMs)
    },
  })
}

/** @returns when the next one is due; null: it was not this replica's turn */
async function sweepIfDue(options: SweepOptions, entry: ProviderEntry, early: boolean): Promise<EpochMs | null> {
  const { app, signal } = options
  const db = app.database.queries
  const claim: SweepClaim = { providerId: entry.id, token: randomUUID() }
  const [startedAt, askedAt] = [app.now(), performance.now()]
  if (!(await claimSweep(db, { ...claim, now: startedAt, leaseMs: LEASE_MS, early }))) return null
  const lease = keepLease({
    askedAt,
    stopping: signal,
    renew: () => renewSweep(db, { ...claim, until: app.now() + LEASE_MS }),
    onError: (error) => options.onError(error, { providerId: entry.id }),
  })
  let nextAt = startedAt + RETRY_MS
  try {
    nextAt = await sweep({ ...options, signal: lease.signal }, entry, { claim, startedAt })
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    if (!signal.aborted)
      options.log('a provider could not be swept', { providerId: entry.id, kind: error.kind, code: error.code })
  } finally {
    lease.end()
    await releaseSweep(db, { ...claim, startedAt, nextAt })
  }
  return nextAt
}

interface Turn {
  readonly claim: SweepClaim
  readonly startedAt: EpochMs
}

/** @returns when the next one is due */
async function sweep(options: SweepOptions, entry: ProviderEntry, { claim, startedAt }: Turn): Promise<EpochMs> {
  const { app, settings } = options
  const begun = performance.now()
  const { listed, others } = await listAll(options, entry)
  const db = app.database.queries
  const before = new Map((await findingsAt(db, entry.id)).map((row) => [findingKey(row), row]))
  const permission = await permissionAt(options, entry)
  const findings = decideActions(findingsOf(await situationOf(options, entry, { listed, others })), before, permission)
  const result: SweepResult = {
    startedAt,
    durationMs: Math.round(performance.now() - begun),
    findings,
    asked: permission.asked,
    moreInTheWay: findings.some((one) => isInTheWay(one) && !before.has(findingKey(one))),
  }
  const news = await app.writer.run(recordSweep(claim, result))
  if (news === null) return startedAt
  tell(options, entry, news, permission)
  await deleteAll(options, entry, findings)
  return nextSweepAt(findings, app.now(), { ...settings, visibilityDelayMs: permission.visibilityDelayMs })
}

const isInTheWay = ({ kind }: Finding): boolean => kind === 'unknown' || kind === 'leftover'

interface Listed {
  readonly listed: readonly ProviderNode[]
  readonly others: readonly OtherNode[]
}

async function listAll({ app, installationId, signal }: SweepOptions, entry: ProviderEntry): Promise<Listed> {
  const call: Call = { operationId: `sweep-${entry.id}`, deadlineAt: app.now() + LIST_WITHIN_MS, signal }
  const db = app.database.queries
  const adopted = adoptedIds(await adoptedAt(db, entry.id))
  const listed = await entry.provider.listNodes(
    adopted.length === 0 ? { installationId } : { installationId, adopted },
    call,
  )
  const others = (await entry.provider.listOthers?.({ installationId }, call)) ?? []
  // Read again: what was taken over while the lists were on their way is nobody else's either.
  return { listed: underOurTag(listed, await adoptedAt(db, entry.id), installationId), others }
}

/** The store is read after the list: see `readBelief`. */
async function situationOf({ app, installationId }: SweepOptions, entry: ProviderEntry, { listed, others }: Listed) {
  const owners = new Set(
    listed.flatMap(({ owner }) => (owner?.installationId === installationId ? [owner.allocationId] : [])),
  )
  return { installationId, listed, others, ...(await readBelief(app.database.queries, entry.id, [...owners])) }
}

async function permissionAt(options: SweepOptions, entry: ProviderEntry): Promise<Permission> {
  const { app, settings } = options
  const db = app.database.queries
  const now = app.now()
  return {
    now,
    visibilityDelayMs: entry.provider.capabilities.visibilityDelayMs,
    frozen: await isFrozen(options, entry.id),
    deletesHeld: await deletesHeld(db),
    asked: await askedWithinHour(db, entry.id, now),
    maxDeletesPerHour: settings.maxDeletesPerHour,
  }
}

function tell(options: SweepOptions, entry: ProviderEntry, news: readonly Finding[], permission: Permission): void {
  const providerId = entry.id
  for (const { kind, providerInstanceId, name, action } of news) {
    options.log('a sweep found something', { providerId, kind, providerInstanceId, name, action })
  }
  const unknown = news.filter(({ kind }) => kind === 'unknown').length
  if (unknown > 0)
    options.page('nodes carry our tag and belong to no allocation: adopt or delete them', { providerId, unknown })
  const held = news.filter(({ action }) => action === 'hold').length
  const isBound = !permission.frozen && !permission.deletesHeld
  if (held > 0 && isBound)
    options.page('a sweep deletes no more nodes within the hour unless a person approves', { providerId, held })
}

async function deleteAll(options: SweepOptions, entry: ProviderEntry, findings: readonly Finding[]): Promise<void> {
  const going = findings.filter(({ action }) => action === 'delete')
  // What stands in no cluster that is configured is named to the provider's first: the id alone says which node it is.
  const elsewhere = entry.served[0]?.clusterId ?? ''
  for (const [clusterId, there] of Map.groupBy(going, (one) => one.clusterId ?? elsewhere)) {
    const ids = there.map((one) => one.providerInstanceId)
    const batches = Array.from({ length: Math.ceil(ids.length / DELETES_IN_A_CALL) }, (_, n) =>
      ids.slice(n * DELETES_IN_A_CALL, (n + 1) * DELETES_IN_A_CALL),
    )
    await eachAtOnce(batches, 1, (batch) => deleteBatch(options, entry, clusterId, batch))
  }
}

async function deleteBatch(
  options: SweepOptions,
  entry: ProviderEntry,
  clusterId: string,
  providerInstanceIds: readonly string[],
): Promise<void> {
  const { app, hands } = options
  const operationId = `sweep-delete-${entry.id}`
  try {
    await hands.at(entry.id, options.signal, async (signal) => {
      if (await isFrozen(options, entry.id)) return
      const call = { operationId, deadlineAt: app.now() + DELETE_WITHIN_MS, signal }
      await entry.provider.deleteNodes({ clusterId, providerInstanceIds }, call)
    })
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    if (error.kind === 'busy') return // as far as it goes now; the next sweep asks again
    options.log('a sweep could not delete', { providerId: entry.id, kind: error.kind, code: error.code })
  }
}

const MOVING: ReadonlySet<Finding['action']> = new Set(['watch', 'delete', 'repair'])
const SOONEST_MS = SECOND_MS

/** Soon while something is about to change: after the visibility delay, then as often as it has lasted already. */
function nextSweepAt(
  findings: readonly Finding[],
  now: EpochMs,
  { intervalMs, visibilityDelayMs }: SweepSettings & { readonly visibilityDelayMs: number },
): EpochMs {
  const moving = findings.filter(({ action }) => MOVING.has(action))
  if (moving.length === 0) return now + intervalMs
  const lasted = now - Math.max(...moving.map(({ since }) => since))
  return now + Math.min(intervalMs, Math.max(SOONEST_MS, visibilityDelayMs, lasted))
}
