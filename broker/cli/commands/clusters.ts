/** `clusters list | get | availability | suspend | resume`: what there is, and how much of it is taken now and later. */
import type { Command } from 'commander'
import { type Availability, AvailabilityStep, ClusterView } from '../../../shared/cluster.ts'
import { collect } from '../../client/collect.ts'
import type { Io } from '../io.ts'
import { sheetOf } from '../sheet.ts'
import { instant } from '../screen/words.ts'
import type { Plain } from '../text/text.ts'
import { clusterText, columnsAt } from './cluster-text.ts'
import type { Run } from './command-context.ts'
import { type Column, tableIn } from './listing.ts'
import { type ReasonOption, addReason, instantOption, reasonOf } from './options.ts'
import { defined } from './placement-options.ts'

export const describeList = (command: Command, { t }: Io): Command =>
  command
    .description(t('list the clusters: what they are, what is in service, what is taken'))
    .option('--all', t('also those where nothing can be placed'))

export const listClusters: Run<{ readonly all?: boolean }> = async ({ client, options, io, answerList }) => {
  const all = await collect(client.listClusters())
  // A program gets them all, and what to leave out is its own affair.
  const shown = options.all === true || options.output !== 'table' ? all : all.filter((one) => one.placeable)
  answerList(shown, { schema: ClusterView, columns: columnsAt(io.now()), whenEmpty: 'No clusters.' })
  return undefined
}

export const describeGet = (command: Command, { t }: Io): Command =>
  command.description(t('look at one cluster')).argument('<id>')

export const getCluster: Run<object> = async ({ client, answer, t }, id = '') => {
  answer(await client.getCluster(id), (one) => clusterText(one, t))
  return undefined
}

interface RangeOptions {
  readonly from?: string
  readonly to?: string
}

export const describeAvailability = (command: Command, io: Io): Command =>
  command
    .description(io.t('see what of a cluster is free when'))
    .argument('<id>')
    .option('--from <time>', io.t('default: now'), instantOption(io))
    .option('--to <time>', io.t('at most three years after it'), instantOption(io))

type Step = Availability['steps'][number]

const STEPS: readonly Column<Step>[] = [
  { head: 'from (UTC)', value: (one) => instant(one.from) },
  { head: 'to (UTC)', value: (one) => instant(one.to) },
  { head: 'nodes', align: 'right', value: (one) => one.capacityNodes },
  { head: 'reserved', align: 'right', value: (one) => one.reservedNodes },
  { head: 'drained', align: 'right', value: (one) => one.drainedNodes },
  { head: 'free', align: 'right', value: (one) => one.freeNodes },
  { head: 'short', align: 'right', value: (one) => one.shortfallNodes },
]

export const showAvailability: Run<RangeOptions> = async ({ client, options, answerSheet, t }, id = '') => {
  const { from, to } = options
  const found = await client.getClusterAvailability(id, defined({ from, to }))
  answerSheet(
    found,
    () => sheetOf(AvailabilityStep, found.steps),
    ({ steps }) => tableIn(t, STEPS, steps),
  )
  return undefined
}

const describeSwitch =
  (description: Plain) =>
  (command: Command, io: Io): Command =>
    addReason(command.description(io.t(description)).argument('<id>'), io)

export const describeSuspend = describeSwitch('place nothing new on a cluster; what runs goes on')
export const describeResume = describeSwitch('place on a cluster again')

export const suspendCluster: Run<ReasonOption> = async ({ client, options, answer, t }, id = '') => {
  answer(await client.suspendCluster(id, reasonOf(options)), (one) => clusterText(one, t))
  return undefined
}

export const resumeCluster: Run<ReasonOption> = async ({ client, options, answer, t }, id = '') => {
  answer(await client.resumeCluster(id, reasonOf(options)), (one) => clusterText(one, t))
  return undefined
}
