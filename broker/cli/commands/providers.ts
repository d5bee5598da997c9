/** `providers list | get | suspend | resume`: the operators, and whether anything new is placed there. */
import type { Command } from 'commander'
import { ProviderView } from '../../../shared/cluster.ts'
import { collect } from '../../client/collect.ts'
import type { Io } from '../io.ts'
import { instant } from '../screen/words.ts'
import type { Plain, Text } from '../text/text.ts'
import type { Run } from './command-context.ts'
import { type Column, factsIn } from './listing.ts'
import { type ReasonOption, addReason, reasonOf } from './options.ts'

const COLUMNS: readonly Column<ProviderView>[] = [
  { head: 'operator', value: (one) => one.id },
  { head: 'name', value: (one) => one.name },
  { head: 'health', value: (one) => one.health.state },
  { head: 'since (UTC)', value: (one) => instant(one.health.since) },
  { head: 'circuits not closed', value: (one) => openCircuits(one) },
  { head: 'clusters', align: 'right', value: (one) => one.clusters.length },
  { head: 'remarks', value: (one, t) => remarksOn(one, t) },
]

const openCircuits = ({ health }: ProviderView): string =>
  Object.entries(health.circuits)
    .filter(([, state]) => state !== 'closed')
    .map(([kind, state]) => `${kind} ${state}`)
    .join(', ')

const remarksOn = ({ suspended, frozen }: ProviderView, t: Text): string =>
  [...(suspended ? [t('suspended')] : []), ...(frozen ? [t('frozen')] : [])].join(', ')

function providerText(one: ProviderView, t: Text): string {
  const { state, since, circuits, lastSuccessAt, lastError } = one.health
  return factsIn(t, [
    ['operator', `${one.id}, ${one.name}`],
    ['health', `${state}, ${instant(since)} UTC`],
    ['circuits', `read ${circuits.read}, create ${circuits.create}, delete ${circuits.delete}`],
    ['last success', lastSuccessAt === null ? null : `${instant(lastSuccessAt)} UTC`],
    ['last error', lastError === null ? null : `${instant(lastError.at)} UTC, ${lastError.kind}: ${lastError.message}`],
    ['remarks', remarksOn(one, t) || null],
    ['clusters', one.clusters.join(', ')],
  ])
}

export const describeList = (command: Command, { t }: Io): Command =>
  command.description(t('list the operators and how they are'))

export const listProviders: Run<object> = async ({ client, answerList }) => {
  answerList(await collect(client.listProviders()), {
    schema: ProviderView,
    columns: COLUMNS,
    whenEmpty: 'No operators.',
  })
  return undefined
}

export const describeGet = (command: Command, { t }: Io): Command =>
  command.description(t('look at one operator')).argument('<id>')

export const getProvider: Run<object> = async ({ client, answer, t }, id = '') => {
  answer(await client.getProvider(id), (one) => providerText(one, t))
  return undefined
}

const describeSwitch =
  (description: Plain) =>
  (command: Command, io: Io): Command =>
    addReason(command.description(io.t(description)).argument('<id>'), io)

export const describeSuspend = describeSwitch('place nothing new at an operator; what runs goes on')
export const describeResume = describeSwitch('place at an operator again')

export const suspendProvider: Run<ReasonOption> = async ({ client, options, answer, t }, id = '') => {
  answer(await client.suspendProvider(id, reasonOf(options)), (one) => providerText(one, t))
  return undefined
}

export const resumeProvider: Run<ReasonOption> = async ({ client, options, answer, t }, id = '') => {
  answer(await client.resumeProvider(id, reasonOf(options)), (one) => providerText(one, t))
  return undefined
}
