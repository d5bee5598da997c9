/** `drains create | list | get | lift`: nodes of a cluster out of service for a time. */
import type { Command } from 'commander'
import { Drain } from '../../../shared/operation.ts'
import { collect } from '../../client/collect.ts'
import type { Io } from '../io.ts'
import { NONE, instant } from '../screen/words.ts'
import type { Text } from '../text/text.ts'
import type { Run } from './command-context.ts'
import { AFFECTED } from './inventory.ts'
import { type Column, factsIn, tableIn } from './listing.ts'
import { instantOption, wholeNumber } from './options.ts'

const COLUMNS: readonly Column<Drain>[] = [
  { head: 'drain', value: (one) => one.id },
  { head: 'nodes', align: 'right', value: (one) => one.nodes },
  { head: 'from (UTC)', value: (one) => instant(one.from) },
  { head: 'to (UTC)', value: (one) => instant(one.to) },
  { head: 'lifted (UTC)', value: (one) => (one.liftedAt === null ? NONE : instant(one.liftedAt)) },
  { head: 'affected', align: 'right', value: (one) => one.affected.length },
  { head: 'why', value: (one) => one.reason },
]

function drainText(one: Drain, t: Text): string {
  const told = factsIn(t, [
    ['drain', one.id],
    ['cluster', one.clusterId],
    ['nodes', one.nodes],
    ['from (UTC)', instant(one.from)],
    ['to (UTC)', instant(one.to)],
    ['lifted (UTC)', one.liftedAt === null ? null : instant(one.liftedAt)],
    ['why', one.reason],
  ])
  return one.affected.length === 0 ? `${told}${t('Nobody has to move.')}\n` : told + tableIn(t, AFFECTED, one.affected)
}

interface CreateOptions {
  readonly nodes: number
  readonly from: string
  readonly to: string
  readonly reason: string
}

export const describeCreate = (command: Command, io: Io): Command =>
  command
    .description(io.t('take nodes of a cluster out of service for a time'))
    .argument('<cluster>')
    .requiredOption('--nodes <n>', io.t('how many'), wholeNumber(io))
    .requiredOption('--from <time>', io.t('"now", a day or an RFC 3339 time'), instantOption(io))
    .requiredOption('--to <time>', io.t('a day or an RFC 3339 time'), instantOption(io))
    .requiredOption('--reason <text>', io.t('why, for whoever is affected'))

export const createDrain: Run<CreateOptions> = async ({ client, options, answer, t }, clusterId = '') => {
  const { nodes, from, to, reason } = options
  answer(await client.drainCluster(clusterId, { nodes, from, to, reason }), (one) => drainText(one, t))
  return undefined
}

export const describeList = (command: Command, { t }: Io): Command =>
  command.description(t('list the drains of a cluster, lifted ones too')).argument('<cluster>')

export const listDrains: Run<object> = async ({ client, answerList }, clusterId = '') => {
  answerList(await collect(client.listDrains(clusterId)), { schema: Drain, columns: COLUMNS, whenEmpty: 'No drains.' })
  return undefined
}

export const describeGet = (command: Command, { t }: Io): Command =>
  command.description(t('look at one drain and whom it has moved')).argument('<id>')

export const getDrain: Run<object> = async ({ client, answer, t }, id = '') => {
  answer(await client.getDrain(id), (one) => drainText(one, t))
  return undefined
}

export const describeLift = (command: Command, { t }: Io): Command =>
  command.description(t('lift a drain before its time')).argument('<id>')

export const liftDrain: Run<object> = async ({ client, answer, t }, id = '') => {
  answer(await client.liftDrain(id), (one) => drainText(one, t))
  return undefined
}
