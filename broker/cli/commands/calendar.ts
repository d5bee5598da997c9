/** `calendar head | log`: what decisions followed from, so that anybody can make them again. */
import type { Command } from 'commander'
import { CalendarEntry } from '../../../shared/proof.ts'
import { collect } from '../../client/collect.ts'
import type { Io } from '../io.ts'
import { count, instant } from '../screen/words.ts'
import type { Run } from './command-context.ts'
import { type Column, factsIn } from './listing.ts'
import { type LimitOption, addLimit } from './options.ts'

export const describeHead = (command: Command, { t }: Io): Command =>
  command.description(t('see how far the calendar and the decisions have come'))

export const showHead: Run<object> = async ({ client, answer, t }) => {
  answer(await client.getCalendarHead(), ({ version, decisions, logDigest }) =>
    factsIn(t, [
      ['operations', count(version)],
      ['decisions', count(decisions)],
      ['digest', logDigest],
    ]),
  )
  return undefined
}

export const describeLog = (command: Command, io: Io): Command =>
  addLimit(command.description(io.t('list what changed the calendar, the oldest first')), io)

const COLUMNS: readonly Column<CalendarEntry>[] = [
  { head: '#', align: 'right', value: (one) => one.version },
  { head: 'at (UTC)', value: (one) => instant(one.at) },
  { head: 'operation', value: (one) => JSON.stringify(one.op) },
]

export const listLog: Run<LimitOption> = async ({ client, options, answerList }) => {
  answerList(await collect(client.listCalendarLog(), options.limit), {
    schema: CalendarEntry,
    columns: COLUMNS,
    whenEmpty: 'Nothing has changed the calendar.',
  })
  return undefined
}
