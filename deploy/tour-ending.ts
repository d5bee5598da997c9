/** Before and after the story: what an interrupted tour left is cleared up, and in the end everything is counted. */
import type { Allocation } from '../shared/allocation.ts'
import { isOver } from '../broker/cli/follow.ts'
import { table } from '../broker/cli/screen/table.ts'
import { count, duration } from '../broker/cli/screen/words.ts'
import { collect } from '../broker/client/collect.ts'
import type { Tour } from './tour-context.ts'
import { TOUR_LABEL } from './tour-cast.ts'
import { indented } from './tour-catalogue.ts'
import { type Sums, ledgerTable, readLedgers, standing, sumsOf } from './tour-ledgers.ts'
import { followAll } from './tour-running.ts'

const CLEARED_WITHIN_MS = 90_000
const LEDGERS_WITHIN_MS = 60_000
const LEDGERS_EVERY_MS = 500

export async function clearUpEarlierTours(tour: Tour): Promise<void> {
  const { client, say, signal } = tour
  const label = `${TOUR_LABEL.key}:${TOUR_LABEL.value}`
  const left = (await collect(client.listAllocations({ label }, { signal }))).filter(({ status }) => !isOver(status))
  if (left.length === 0) return
  say('An earlier tour was interrupted; what it had is released first.')
  for (const { id } of left) await client.releaseAllocation(id, { reason: 'other' }, { signal })
  await followAll(tour, left, { isDone: ({ status }) => isOver(status), timeoutMs: CLEARED_WITHIN_MS })
}

/** What stands at the operators for others than the tour; nothing, where nobody else has anything. */
export async function notOursIn({ client, sandboxUrls, signal }: Tour): Promise<ReadonlySet<string>> {
  const others = await collect(client.listAllocations({}, { signal }))
  if (others.every(({ status }) => isOver(status))) return new Set()
  return standing(await readLedgers(sandboxUrls, signal))
}

export function showSummary({ terminal }: Tour, allocations: readonly Allocation[]): void {
  terminal.write(
    indented(
      table<Allocation>(
        [
          { head: 'allocation', value: (one) => one.name },
          { head: 'asked for', value: ({ demand }) => demandText(demand) },
          { head: 'cluster', value: (one) => one.placement?.clusterId ?? '' },
          { head: 'nodes', align: 'right', value: (one) => one.placement?.nodes ?? 0 },
          { head: 'GPUs', align: 'right', value: (one) => count(one.placement?.gpus ?? 0) },
          { head: 'asked to ready', align: 'right', value: (one) => between(one.createdAt, one.activeAt) },
          { head: 'ran for', align: 'right', value: (one) => between(one.activeAt, one.releasedAt) },
          { head: 'status', value: (one) => one.status },
        ],
        allocations,
      ),
    ),
  )
}

function demandText({ nodes, gpus, fp8H200Equivalent }: Allocation['demand']): string {
  if (nodes !== undefined) return `${nodes} nodes`
  return gpus === undefined ? `${count(fp8H200Equivalent ?? 0)} H200s of FP8` : `${count(gpus)} GPUs`
}

const between = (from: string | null, to: string | null): string =>
  from === null || to === null ? '' : duration(Date.parse(to) - Date.parse(from))

/** Disks and addresses go a moment after their nodes: the ledgers are read until they are clean, or the time is up. */
export async function showLedgers(tour: Tour, notOurs: ReadonlySet<string>): Promise<void> {
  const { sandboxUrls, terminal, claim, now, pause, signal } = tour
  const giveUpAt = now() + LEDGERS_WITHIN_MS
  let sums = sumsOf(await readLedgers(sandboxUrls, signal), notOurs)
  while (!isClean(sums) && now() < giveUpAt) {
    await pause(LEDGERS_EVERY_MS, signal)
    sums = sumsOf(await readLedgers(sandboxUrls, signal), notOurs)
  }
  terminal.write(`\n${indented(ledgerTable(sums))}`)
  const all = sums.at(-1)
  claim(
    `The operators' ledgers: ${count(all?.nodes.built ?? 0)} nodes built, ${count(all?.nodes.deleted ?? 0)} deleted, ${all?.nodes.left} left behind, and ${all?.others.left} of all else.`,
    isClean(sums) && (all?.nodes.built ?? 0) > 0,
    sums,
  )
}

const isClean = (sums: readonly Sums[]): boolean =>
  sums.every(({ nodes, others }) => nodes.left === 0 && others.left === 0)
