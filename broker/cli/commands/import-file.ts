/** `import FILE`: takes grants over that run already. Without `--apply` it shows what it would do, and every problem. */
import type { Command } from 'commander'
import type { ImportReport } from '../../../shared/fleet-import.ts'
import { EXIT } from '../failure.ts'
import type { Io } from '../io.ts'
import { count } from '../screen/words.ts'
import type { Text } from '../text/text.ts'
import type { Run } from './command-context.ts'
import { type FleetFile, fleetFrom } from './fleet-file.ts'
import { type Column, tableIn } from './listing.ts'

interface ImportOptions {
  readonly apply?: boolean
  readonly dryRun?: boolean
}

export const describeImport = (command: Command, { t }: Io): Command =>
  command
    .description(t('take grants over that run already, without touching a node'))
    .argument('<file>', t('approvals, allocations and their instance ids as JSON or YAML; "-" for standard input'))
    .option('--dry-run', t('show what would be done, and every problem; the default'))
    .option('--apply', t('do it: all of it, or nothing'))

export const importFile: Run<ImportOptions> = async ({ client, options, io, answer, t }, path = '') => {
  const file = await fleetFrom(path, io)
  const { approvals = [], allocations = [] } = file.request
  const nodes = allocations.reduce((sum, one) => sum + one.providerInstanceIds.length, 0)
  const sum = t('{approvals} approvals, {allocations} allocations, {nodes} nodes', {
    approvals: count(approvals.length),
    allocations: count(allocations.length),
    nodes: count(nodes),
  })
  io.terminal.writeError(`${t('Comparing with the operators’ lists: {sum} …', { sum })}\n`)
  const tried = await client.importFleet(file.request, false, { signal: io.signal })
  if (tried.problems.length > 0 || options.apply !== true || options.dryRun === true) {
    answer(tried, (report) => reportText(report, file, t))
    return tried.problems.length > 0 ? EXIT.refused : EXIT.ok
  }
  io.terminal.writeError(`${t('Taking over: {sum} …', { sum })}\n`)
  answer(await client.importFleet(file.request, true, { signal: io.signal }), (report) => reportText(report, file, t))
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

function reportText(report: ImportReport, file: FleetFile, t: Text): string {
  const { applied, approvals, allocations, problems } = report
  const tables = [
    ...(approvals.length > 0 ? [tableIn(t, APPROVALS, approvals)] : []),
    ...(allocations.length > 0 ? [tableIn(t, ALLOCATIONS, allocations)] : []),
  ]
  const lines = problems.map(({ pointer, detail }) => `${file.at(pointer, detail)}\n`)
  return [...tables, ...lines, `${endingOf(applied, problems.length, t)}\n`].join('')
}

function endingOf(applied: boolean, problems: number, t: Text): string {
  if (problems > 0) return t('{count} in the way: nothing was done.', { count: count(problems) })
  return applied ? t('Taken over.') : t('Nothing was done: --apply does it.')
}
