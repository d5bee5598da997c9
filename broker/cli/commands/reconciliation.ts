/** `sweep show | approve`, `nodes adopt | delete | ignore | count`: what sweeps found, and what is to become of it. */
import type { Command } from 'commander'
import { type Reconciliation, SweepFinding } from '../../../shared/reconciliation.ts'
import type { Io } from '../io.ts'
import { instant } from '../screen/words.ts'
import { sheetOf } from '../sheet.ts'
import type { Plain, Text } from '../text/text.ts'
import { allocationText } from './allocation-text.ts'
import type { Run } from './command-context.ts'
import { type Column, tableIn } from './listing.ts'
import { type ReasonOption, addReason, instantOption, reasonOf } from './options.ts'
import { defined } from './placement-options.ts'

const COLUMNS: readonly Column<SweepFinding>[] = [
  { head: 'finding', value: (one) => one.kind },
  { head: 'at the operator', value: (one) => one.providerInstanceId },
  { head: 'name', value: (one) => one.name },
  { head: 'since (UTC)', value: (one) => instant(one.since) },
  { head: 'action', value: (one) => one.action },
]

function reconciliationText({ startedAt, durationMs, findings }: Reconciliation, t: Text): string {
  if (startedAt === null) return `${t('Not swept yet.')}\n`
  const swept = `${t('Swept at {at} UTC, in {ms} ms.', { at: instant(startedAt), ms: durationMs ?? 0 })}\n`
  return findings.length === 0 ? `${swept}${t('Nothing was found.')}\n` : `${swept}${tableIn(t, COLUMNS, findings)}`
}

export const describeShow = (command: Command, { t }: Io): Command =>
  command.description(t('see what the last sweep of an operator found')).argument('<provider>')

export const showSweep: Run<object> = async ({ client, answerSheet, t }, providerId = '') => {
  const found = await client.getReconciliation(providerId)
  answerSheet(
    found,
    () => sheetOf(SweepFinding, found.findings),
    (one) => reconciliationText(one, t),
  )
  return undefined
}

export const describeApprove = (command: Command, io: Io): Command =>
  addReason(
    command.description(io.t('let what sweeps hold back at an operator now be deleted')).argument('<provider>'),
    io,
  )

export const approveSweep: Run<ReasonOption> = async ({ client, options, answer, t }, providerId = '') => {
  answer(await client.approveSweep(providerId, reasonOf(options)), (one) => reconciliationText(one, t))
  return undefined
}

interface AdoptOptions {
  readonly approval: string
  readonly end: string
  readonly name?: string
}

const withNode = (command: Command, { t }: Io): Command =>
  command.argument('<provider>').argument('<id>', t('the node’s id at the operator'))

export const describeAdopt = (command: Command, io: Io): Command =>
  withNode(
    command.description(io.t('take over a node whose allocation is not known, with all that carry the same tag')),
    io,
  )
    .requiredOption('--approval <id>', io.t('whose it is'))
    .requiredOption('--end <time>', io.t('when it is given back: a day or an RFC 3339 time'), instantOption(io))
    .option('--name <name>')

export const adoptNode: Run<AdoptOptions> = async ({ client, options, answer, t }, providerId = '', id = '') => {
  const { approval: approvalId, end, name } = options
  const adopted = await client.adoptFoundNode(providerId, id, { approvalId, end, ...defined({ name }) })
  answer(adopted, (one) => allocationText(one, t))
  return undefined
}

const describeNode =
  (description: Plain) =>
  (command: Command, io: Io): Command =>
    addReason(withNode(command.description(io.t(description)), io), io)

export const describeDelete = describeNode('delete a node that carries our tag and that a sweep has found')
export const describeIgnore = describeNode('say that a node that others made is in nobody’s way')
export const describeCount = describeNode('count a node that others made as out of service again')

export const deleteNode: Run<ReasonOption> = async ({ client, options, answer, t }, providerId = '', id = '') => {
  answer(await client.deleteFoundNode(providerId, id, reasonOf(options)), (one) => tableIn(t, COLUMNS, [one]))
  return undefined
}

export const ignoreNode: Run<ReasonOption> = async ({ client, options, answer, t }, providerId = '', id = '') => {
  answer(await client.ignoreFoundNode(providerId, id, reasonOf(options)), (one) => tableIn(t, COLUMNS, [one]))
  return undefined
}

export const countNode: Run<ReasonOption> = async ({ client, options, answer, t }, providerId = '', id = '') => {
  answer(await client.countFoundNode(providerId, id, reasonOf(options)), (one) => tableIn(t, COLUMNS, [one]))
  return undefined
}
