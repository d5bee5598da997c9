/** What `simulate` tells people. */
import { COLUMNS, figureText } from '../../simulate/columns.ts'
import type { FairnessByPolicy } from '../../simulate/fairness.ts'
import type { PolicyName } from '../../simulate/scheduler.ts'
import type { PolicyResult } from '../../simulate/simulate.ts'
import type { Workload } from '../../simulate/workload.ts'
import { table } from '../screen/table.ts'

export function headline(said: {
  readonly trace: string
  readonly load: number
  readonly seed: number
  readonly workload: Workload
  readonly skippedLines: number
}): string {
  const { requests, leftOut } = said.workload
  const out = leftOut === 0 ? '' : `, ${leftOut} left out that no cluster could ever hold`
  const skipped = said.skippedLines === 0 ? '' : `, ${said.skippedLines} lines of the log without nodes or run time`
  return `${said.trace}: ${requests.length} requests${out}${skipped}; load ${said.load.toFixed(2)}, seed ${said.seed}\n\n`
}

/** The last column is of the organisation that pays most for the others. */
export function resultsTable(results: readonly PolicyResult[], fairness: FairnessByPolicy): string {
  const worst = (name: PolicyName): string =>
    Math.max(...fairness[name].map(({ sharedOverAlone }) => sharedOverAlone)).toFixed(2)
  return table(
    [
      { head: 'policy', value: ({ figures }: PolicyResult) => figures.name },
      ...COLUMNS.map((column) => ({
        head: column.head,
        align: 'right' as const,
        value: ({ figures }: PolicyResult) => figureText(figures, column),
      })),
      { head: 'worst ÷ alone', align: 'right' as const, value: ({ figures }: PolicyResult) => worst(figures.name) },
    ],
    results,
  )
}
