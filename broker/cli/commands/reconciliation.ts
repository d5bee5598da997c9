/** `sweep show | approve`, `nodes adopt | delete | ignore | count`, `hold-deletes`, `resume-deletes`: what sweeps found, and what is to become of it. */
import type { Command } from 'commander'
import type { Reconciliation, SweepFinding } from '../../../shared/reconciliation.ts'
import type { Io } from '../io.ts'
import { type Column, table } from '../screen/table.ts'
import { instant } from '../screen/words.ts'
import { allocationText } from './allocation-text.ts'
import type { Run } from './command-context.ts'
import { instantOption } from './options.ts'
import { defined } from './placement-options.ts'

const COLUMNS: readonly Column<SweepFinding>[] = [
  { head: 'finding', value: (one) => one.kind },
  { head: 'at the operator', value: (one) => one.providerInstanceId },
  { head: 'name', value: (one) => one.name },
  { head: 'since (UTC)', value: (one) => instant(one.since) },
  { head: 'action', value: (one) => one.action },
]

function reconciliationText({ startedAt, durationMs, findings }: Reconciliation): string {
  if (startedAt === null) return 'Not swept yet.\n'
  const swept = `Swept at ${instant(startedAt)} UTC, in ${durationMs} ms.\n`
  return findings.length === 0 ? `${swept}Nothing was found.\n` : `${swept}${table(COLUMNS, findings)}`
}

export const describeShow = (command: Command): Command =>
  command.description('see what the last sweep of an operator found').argument('<provider>')

export const showSweep: Run<object> = async ({ client, answer }, providerId = '') => {
  answer(await client.getReconciliation(providerId), reconciliationText)
  return undefined
}

export const describeApprove = (command: Command): Command =>
  command.description('let what sweeps hold back at an operator now be deleted').argument('<provider>')

export const approveSweep: Run<object> = async ({ client, answer }, providerId = '') => {
  answer(await client.approveSweep(providerId), reconciliationText)
  return undefined
}

interface AdoptOptions {
  readonly approval: string
  readonly end: string
  readonly name?: string
}

export const describeAdopt = (command: Command, { now }: Io): Command =>
  command
    .description('take over a node whose allocation is not known, with all that carry the same tag')
    .argument('<provider>')
    .argument('<id>', 'the node’s id at the operator')
    .requiredOption('--approval <id>', 'whose it is')
    .requiredOption('--end <time>', 'when it is given back: a day or an RFC 3339 time', instantOption(now))
    .option('--name <name>')

export const adoptNode: Run<AdoptOptions> = async ({ client, options, answer }, providerId = '', id = '') => {
  const { approval: approvalId, end, name } = options
  answer(await client.adoptFoundNode(providerId, id, { approvalId, end, ...defined({ name }) }), allocationText)
  return undefined
}

export const describeDelete = (command: Command): Command =>
  command
    .description('delete a node that carries our tag and that a sweep has found')
    .argument('<provider>')
    .argument('<id>', 'the node’s id at the operator')

export const deleteNode: Run<object> = async ({ client, answer }, providerId = '', id = '') => {
  answer(await client.deleteFoundNode(providerId, id), (finding) => table(COLUMNS, [finding]))
  return undefined
}

const ofOthers =
  (description: string) =>
  (command: Command): Command =>
    command.description(description).argument('<provider>').argument('<id>', 'the node’s id at the operator')

export const describeIgnore = ofOthers('say that a node that others made is in nobody’s way')

export const ignoreNode: Run<object> = async ({ client, answer }, providerId = '', id = '') => {
  answer(await client.ignoreFoundNode(providerId, id), (finding) => table(COLUMNS, [finding]))
  return undefined
}

export const describeCount = ofOthers('count a node that others made as out of service again')

export const countNode: Run<object> = async ({ client, answer }, providerId = '', id = '') => {
  answer(await client.countFoundNode(providerId, id), (finding) => table(COLUMNS, [finding]))
  return undefined
}

export const describeHold = (command: Command): Command =>
  command.description('delete nothing at any operator that no person has asked for')

export const describeResume = (command: Command): Command =>
  command.description('delete at operators again, after a restore or hold-deletes')

export const holdDeletes: Run<object> = ({ client, answer }) => setHeld(answer, client.holdDeletes())

export const resumeDeletes: Run<object> = ({ client, answer }) => setHeld(answer, client.resumeDeletes())

async function setHeld(
  answer: Parameters<Run<object>>[0]['answer'],
  asked: Promise<{ readonly deletesHeld: boolean }>,
): Promise<undefined> {
  answer(await asked, ({ deletesHeld }) => (deletesHeld ? 'Deletions are held.\n' : 'Deletions are resumed.\n'))
  return undefined
}
