/**
 * What the simulated operators themselves noted: everything that was ever built, and when it went. The broker knows
 * nothing of these ledgers, so they can bear witness.
 */
import { z } from 'zod'
import { namePrefixOf } from '../shared/ids.ts'
import { table } from '../broker/cli/screen/table.ts'
import { count } from '../broker/cli/screen/words.ts'
import type { SandboxUrls } from './sandbox/for-broker.ts'

const Entry = z.object({ id: z.string(), name: z.string(), deletedAt: z.string().nullable() })
const Ledger = z.object({ nodes: z.array(Entry), others: z.array(Entry) })
type Entry = z.infer<typeof Entry>

export const OPERATORS = ['naver', 'nhn', 'kakao'] as const
export type Operator = (typeof OPERATORS)[number]
export type Ledgers = Readonly<Record<Operator, z.infer<typeof Ledger>>>

const TIMEOUT_MS = 10_000

export async function readLedgers(urls: SandboxUrls, signal: AbortSignal): Promise<Ledgers> {
  const [naver, nhn, kakao] = await Promise.all([
    readLedger(urls.naver, signal),
    readLedger(urls.nhn, signal),
    readLedger(urls.kakao, signal),
  ])
  return { naver, nhn, kakao }
}

async function readLedger(url: string, signal: AbortSignal): Promise<z.infer<typeof Ledger>> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
  const response = await fetch(`${url}/_sandbox/ledger`, { signal: limit })
  return Ledger.parse(await response.json())
}

const stands = (entry: Entry): boolean => entry.deletedAt === null

/** Ids of the nodes that stand at the operator for an allocation. */
export const nodesStanding = (ledger: Ledgers[Operator], allocationId: string): ReadonlySet<string> =>
  new Set(
    ledger.nodes.filter((node) => stands(node) && node.name.startsWith(namePrefixOf(allocationId))).map(({ id }) => id),
  )

/** Everything that stands anywhere. */
export const standing = (ledgers: Ledgers): ReadonlySet<string> =>
  new Set(
    OPERATORS.flatMap((operator) =>
      [...ledgers[operator].nodes, ...ledgers[operator].others].filter(stands).map(({ id }) => id),
    ),
  )

export interface Sums {
  readonly operator: string
  readonly nodes: Sum
  readonly others: Sum
}

export interface Sum {
  readonly built: number
  readonly deleted: number
  readonly left: number
}

/** @param notOurs stood before, for somebody else: left out */
export function sumsOf(ledgers: Ledgers, notOurs: ReadonlySet<string>): readonly Sums[] {
  const sum = (entries: readonly Entry[]): Sum => {
    const ours = entries.filter(({ id }) => !notOurs.has(id))
    const left = ours.filter(stands).length
    return { built: ours.length, deleted: ours.length - left, left }
  }
  const rows = OPERATORS.map((operator) => ({
    operator,
    nodes: sum(ledgers[operator].nodes),
    others: sum(ledgers[operator].others),
  }))
  return [
    ...rows,
    { operator: 'all', nodes: added(rows.map((row) => row.nodes)), others: added(rows.map((row) => row.others)) },
  ]
}

const added = (sums: readonly Sum[]): Sum => ({
  built: sums.reduce((total, sum) => total + sum.built, 0),
  deleted: sums.reduce((total, sum) => total + sum.deleted, 0),
  left: sums.reduce((total, sum) => total + sum.left, 0),
})

export const ledgerTable = (sums: readonly Sums[]): string =>
  table(
    [
      { head: 'operator', value: (row) => row.operator },
      { head: 'nodes built', align: 'right', value: (row) => count(row.nodes.built) },
      { head: 'deleted', align: 'right', value: (row) => count(row.nodes.deleted) },
      { head: 'left behind', align: 'right', value: (row) => count(row.nodes.left) },
      { head: 'others built', align: 'right', value: (row) => count(row.others.built) },
      { head: 'deleted', align: 'right', value: (row) => count(row.others.deleted) },
      { head: 'left behind', align: 'right', value: (row) => count(row.others.left) },
    ],
    sums,
  )
