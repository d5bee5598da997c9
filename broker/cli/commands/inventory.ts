/** `inventory reload`: what the inventory's file says anew, who would have to move, and putting it in force. */
import type { Command } from 'commander'
import type { InventoryReload } from '../../../shared/operation.ts'
import type { Io } from '../io.ts'
import { NONE } from '../screen/words.ts'
import type { Text } from '../text/text.ts'
import type { Run } from './command-context.ts'
import { type Column, tableIn } from './listing.ts'
import { type ReasonOption, addReason, reasonOf } from './options.ts'

export const describeReload = (command: Command, io: Io): Command =>
  addReason(
    command
      .description(io.t('show what the inventory’s file says anew, and which promises would slip'))
      .option('--apply', io.t('put it in force')),
    io,
  )

export const reloadInventory: Run<ReasonOption & { readonly apply?: boolean }> = async (context) => {
  const { client, options, answer, t } = context
  answer(await client.reloadInventory(reasonOf(options), options.apply === true), (one) => reloadText(one, t))
  return undefined
}

type Difference = {
  readonly clusterId: string
  readonly change: string
} & InventoryReload['clusters'][number]['differences'][number]

const DIFFERENCES: readonly Column<Difference>[] = [
  { head: 'cluster', value: (one) => one.clusterId },
  { head: 'change', value: (one) => one.change },
  { head: 'what', value: (one) => one.member },
  { head: 'before', value: (one, t) => factText(one.before, t) },
  { head: 'after', value: (one, t) => factText(one.after, t) },
]

/** Whom a change of capacity moves. */
export const AFFECTED: readonly Column<InventoryReload['affected'][number]>[] = [
  { head: 'allocation', value: (one) => one.allocationId },
  { head: 'effect', value: (one) => one.effect },
]

const PROMISES: readonly Column<InventoryReload['promises'][number]>[] = [
  { head: 'allocation', value: (one) => one.allocationId },
  { head: 'promised', value: (one) => one.promisedStart },
  { head: 'then planned', value: (one, t) => one.estimatedStart ?? t('not at all') },
  { head: 'then promised', value: (one) => one.newPromisedStart },
]

function reloadText({ applied, clusters, affected, promises }: InventoryReload, t: Text): string {
  if (clusters.length === 0) return `${t('The inventory in force is what its file says.')}\n`
  const differences = clusters.flatMap(({ clusterId, change, differences: all }) =>
    all.map((one) => ({ clusterId, change, ...one })),
  )
  const blocks = [
    tableIn(t, DIFFERENCES, differences),
    affected.length === 0 ? `${t('Nobody has to move.')}\n` : tableIn(t, AFFECTED, affected),
    promises.length === 0 ? `${t('Every promise is kept.')}\n` : tableIn(t, PROMISES, promises),
    `${applied ? t('It is in force.') : t('Nothing has changed; --apply puts it in force.')}\n`,
  ]
  return blocks.join('\n')
}

interface PhaseLike {
  readonly from: string
  readonly nodes: number
}

const isPhases = (value: unknown): value is readonly PhaseLike[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'object' && one !== null && 'from' in one)

/** `255 from 2026-03-31, 510 from 2026-12-31`; other facts as they are. */
function factText(value: unknown, t: Text): string {
  if (value === null) return NONE
  if (isPhases(value))
    return value.map(({ from, nodes }) => t('{nodes} from {day}', { nodes, day: from.slice(0, 10) })).join(', ')
  return typeof value === 'string' ? value : JSON.stringify(value)
}
