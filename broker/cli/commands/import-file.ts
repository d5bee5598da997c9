/** `import FILE`: takes grants over that run already. Without `--apply` it shows what it would do, and every problem. */
import type { Command } from 'commander'
import type { ImportReport } from '../../../shared/fleet-import.ts'
import { EXIT } from '../failure.ts'
import { type Column, table } from '../screen/table.ts'
import { count } from '../screen/words.ts'
import type { Run } from './command-context.ts'
import { type FleetFile, fleetFrom } from './fleet-file.ts'

interface ImportOptions {
  readonly apply?: boolean
  readonly dryRun?: boolean
}

export const describeImport = (command: Command): Command =>
  command
    .description('take grants over that run already, without touching a node')
    .argument('<file>', 'approvals, allocations and their instance ids as JSON or YAML; "-" for standard input')
    .option('--dry-run', 'show what would be done, and every problem; the default')
    .option('--apply', 'do it: all of it, or nothing')

export const importFile: Run<ImportOptions> = async ({ client, options, io, answer }, path = '') => {
  const file = await fleetFrom(path, io)
  const { approvals = [], allocations = [] } = file.request
  const nodes = allocations.reduce((sum, one) => sum + one.providerInstanceIds.length, 0)
  const tell = (verb: string): void =>
    io.terminal.writeError(
      `${verb} ${count(approvals.length)} approvals and ${count(allocations.length)} allocations with ${count(nodes)} nodes …\n`,
    )
  tell('Comparing with the operators’ lists:')
  const tried = await client.importFleet(file.request, false, { signal: io.signal })
  if (tried.problems.length > 0 || options.apply !== true || options.dryRun === true) {
    answer(tried, (report) => reportText(report, file))
    return tried.problems.length > 0 ? EXIT.refused : EXIT.ok
  }
  tell('Taking over:')
  answer(await client.importFleet(file.request, true, { signal: io.signal }), (report) => reportText(report, file))
  return EXIT.ok
}

const APPROVALS: readonly Column<ImportReport['approvals'][number]>[] = [
  { head: 'approval', value: (one) => one.id },
  { head: 'organisation', value: (one) => one.organizationId },
  { head: 'effect', value: (one) => one.effect },
]

const ALLOCATIONS: readonly Column<ImportReport['allocations'][number]>[] = [
  { head: 'allocation', value: (one) => one.name },
  { head: 'approval', value: (one) => one.approvalId },
  { head: 'cluster', value: (one) => one.clusterId },
  { head: 'nodes', align: 'right', value: (one) => one.nodes },
  { head: 'effect', value: (one) => one.effect },
]

function reportText(report: ImportReport, file: FleetFile): string {
  const { applied, approvals, allocations, problems } = report
  const tables = [
    ...(approvals.length > 0 ? [table(APPROVALS, approvals)] : []),
    ...(allocations.length > 0 ? [table(ALLOCATIONS, allocations)] : []),
  ]
  const lines = problems.map(({ pointer, detail }) => `${file.at(pointer, detail)}\n`)
  return [...tables, ...lines, `${endingOf(applied, problems.length)}\n`].join('')
}

function endingOf(applied: boolean, problems: number): string {
  if (problems > 0) return `${count(problems)} in the way: nothing was done.`
  return applied ? 'Taken over.' : 'Nothing was done: --apply does it.'
}
