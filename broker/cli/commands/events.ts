/** `events list | stream`: what happened, in the installation's one order, and what happens next. */
import type { Command } from 'commander'
import { CloudEvent, EVENT_TYPES, type EventType, NamedEventType } from '../../../shared/event.ts'
import { collect } from '../../client/collect.ts'
import type { EventFilter } from '../../client/events.ts'
import { type Io, UsageError } from '../io.ts'
import { fitTo } from '../screen/width.ts'
import { sheetOf, sheetText } from '../sheet.ts'
import type { Text } from '../text/text.ts'
import type { CommandContext, Output, Run } from './command-context.ts'
import type { Column } from './listing.ts'
import { type LimitOption, addLimit, repeated, wholeNumber } from './options.ts'
import { defined } from './placement-options.ts'

interface FilterOptions {
  readonly after?: string
  readonly types?: readonly string[]
  readonly allocation?: string
}

const describeFilter = (command: Command, { t }: Io): Command =>
  command
    .option('--after <number>', t('only those after this one, or "latest"; default: from the oldest that is kept'))
    .option('--types <types>', t('only these, such as allocation.active (repeatable)'), repeated)
    .option('--allocation <id>', t('only those about this allocation'))

export const describeList = (command: Command, io: Io): Command =>
  addLimit(describeFilter(command.description(io.t('list what happened, the oldest first')), io), io)

export const describeStream = (command: Command, io: Io): Command =>
  describeFilter(command.description(io.t('show what happens as it happens, until interrupted')), io).option(
    '--count <n>',
    io.t('end after so many'),
    wholeNumber(io),
  )

const COLUMNS: readonly Column<CloudEvent>[] = [
  { head: '#', align: 'right', value: (one) => one.sequence },
  { head: 'at (UTC)', value: (one) => timeOf(one) },
  { head: 'event', value: (one) => shortType(one) },
  { head: 'about', value: (one) => one.subject },
  { head: 'data', value: (one) => JSON.stringify(one.data) },
]

const timeOf = ({ time }: CloudEvent): string => new Date(time).toISOString().slice(0, 19).replace('T', ' ')

const shortType = ({ type }: CloudEvent): string => NamedEventType.parse(type)

export const listEvents: Run<FilterOptions & LimitOption> = async ({ client, options, answerList, t }) => {
  answerList(await collect(client.listEvents(filterFrom(options, t)), options.limit), {
    schema: CloudEvent,
    columns: COLUMNS,
    whenEmpty: 'Nothing has happened.',
  })
  return undefined
}

export const streamEvents: Run<FilterOptions & { readonly count?: number }> = async (context) => {
  const { client, options, io, t } = context
  const { count = Number.POSITIVE_INFINITY } = options
  let seen = 0
  if (options.output === 'csv') io.terminal.write(sheetText(sheetOf(CloudEvent, [])))
  for await (const event of client.streamEvents(filterFrom(options, t), { signal: io.signal })) {
    io.terminal.write(lineOf(event, options.output))
    seen += 1
    if (seen >= count) break
  }
  return undefined
}

const NUMBER_CELLS = 8
const TYPE_CELLS = 27
const SUBJECT_CELLS = 34

/** One event a line: what reads along must not wait for an end. */
function lineOf(event: CloudEvent, output: Output): string {
  if (output === 'json') return `${JSON.stringify(event)}\n`
  if (output === 'csv') {
    const { columns, rows } = sheetOf(CloudEvent, [event])
    return sheetText({ columns, rows }).slice(sheetText({ columns, rows: [] }).length)
  }
  const number = String(event.sequence).padStart(NUMBER_CELLS)
  const parts = [number, timeOf(event), fitTo(TYPE_CELLS, shortType(event)), fitTo(SUBJECT_CELLS, event.subject)]
  return `${[...parts, JSON.stringify(event.data)].join('  ')}\n`
}

/** @throws UsageError for what can be no number and no type */
function filterFrom({ after, types, allocation }: CommandContext<FilterOptions>['options'], t: Text): EventFilter {
  if (after !== undefined && after !== 'latest' && !/^\d{1,15}$/.test(after))
    throw new UsageError(t('--after must be the number of an event, 0, or "latest"'))
  const stranger = types?.find((type) => !NamedEventType.safeParse(type).success)
  if (stranger !== undefined)
    throw new UsageError(
      t('there is no event {type}; there are {types}', { type: stranger, types: EVENT_TYPES.join(', ') }),
    )
  return defined({
    after: after === undefined || after === 'latest' ? after : Number(after),
    types: types as readonly EventType[] | undefined, // just looked at; with or without the prefix
    allocationId: allocation,
  })
}
