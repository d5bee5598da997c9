/** `inventory reload`: what the inventory's file says anew, who would have to move, and putting it in force. */
import type { Command } from 'commander'
import type { InventoryReload } from '../../../shared/operation.ts'
import { table } from '../screen/table.ts'
import type { Run } from './command-context.ts'

export const describeInventoryReload = (command: Command): Command =>
  command
    .description('show what the inventory’s file says anew, and which promises would slip')
    .option('--apply', 'put it in force')

export const reloadInventory: Run<{ readonly apply?: boolean }> = async ({ client, options, answer }) => {
  answer(await client.reloadInventory({}, options.apply === true), reloadText)
  return undefined
}

function reloadText({ applied, clusters, affected, promises }: InventoryReload): string {
  if (clusters.length === 0) return 'The inventory in force is what its file says.\n'
  const differences = clusters.flatMap(({ clusterId, change, differences: all }) =>
    all.map((one) => ({ clusterId, change, ...one })),
  )
  const blocks = [
    table(
      [
        { head: 'cluster', value: (one) => one.clusterId },
        { head: 'change', value: (one) => one.change },
        { head: 'what', value: (one) => one.member },
        { head: 'before', value: (one) => factText(one.before) },
        { head: 'after', value: (one) => factText(one.after) },
      ],
      differences,
    ),
    affected.length === 0
      ? 'Nobody has to move.\n'
      : table(
          [
            { head: 'allocation', value: (one) => one.allocationId },
            { head: 'effect', value: (one) => one.effect },
          ],
          affected,
        ),
    promises.length === 0
      ? 'Every promise is kept.\n'
      : table(
          [
            { head: 'allocation', value: (one) => one.allocationId },
            { head: 'promised', value: (one) => one.promisedStart },
            { head: 'then planned', value: (one) => one.estimatedStart ?? 'not at all' },
            { head: 'then promised', value: (one) => one.newPromisedStart },
          ],
          promises,
        ),
    applied ? 'It is in force.\n' : 'Nothing has changed; --apply puts it in force.\n',
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
function factText(value: unknown): string {
  if (value === null) return '–'
  if (isPhases(value)) return value.map(({ from, nodes }) => `${nodes} from ${from.slice(0, 10)}`).join(', ')
  return typeof value === 'string' ? value : JSON.stringify(value)
}
