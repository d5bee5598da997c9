/** `audit list | chain | verify`: who did what, and whether the trail that says so is whole. */
import { createHash } from 'node:crypto'
import type { Command } from 'commander'
import { AuditRecord } from '../../../shared/audit.ts'
import { type Break, walkChain } from '../../core/audit-chain.ts'
import { collect } from '../../client/collect.ts'
import { EXIT } from '../failure.ts'
import type { Io } from '../io.ts'
import { createBar } from '../screen/bar.ts'
import { count, instant } from '../screen/words.ts'
import type { Run } from './command-context.ts'
import { type Column, factsIn } from './listing.ts'
import { type LimitOption, addLimit, instantOption } from './options.ts'
import { defined } from './placement-options.ts'

const COLUMNS: readonly Column<AuditRecord>[] = [
  { head: 'at (UTC)', value: (one) => instant(one.at) },
  { head: 'client', value: (one) => one.actor },
  { head: 'did', value: (one) => one.action },
  { head: 'to', value: (one) => one.resource },
  { head: 'outcome', value: (one) => one.code ?? one.outcome },
  { head: 'request', value: (one) => one.requestId },
]

interface ListOptions extends LimitOption {
  readonly from?: string
  readonly to?: string
  readonly actor?: string
  readonly action?: string
}

const MOST = 1_000

export const describeList = (command: Command, io: Io): Command =>
  addLimit(
    command
      .description(io.t('who asked for what change'))
      .option('--from <time>', io.t('only since then'), instantOption(io))
      .option('--to <time>', io.t('only before then'), instantOption(io))
      .option('--actor <client>', io.t('only what this client asked for'))
      .option('--action <operation>', io.t('only this operation, such as createAllocation')),
    io,
    MOST,
  )

export const listAudit: Run<ListOptions> = async ({ client, options, answerList, io }) => {
  const { from, to, actor, action } = options
  const found = client.listAudit(defined({ from, to, actor, action }), { signal: io.signal })
  answerList(await collect(found, options.limit), {
    schema: AuditRecord,
    columns: COLUMNS,
    whenEmpty: 'Nobody has asked for a change.',
  })
  return undefined
}

export const describeChain = (command: Command, { t }: Io): Command =>
  command.description(t('see where the trail begins and ends, to keep a copy of its last hash elsewhere'))

export const showChain: Run<object> = async ({ client, answer, t }) => {
  answer(await client.getAuditChain(), ({ oldest, last }) =>
    factsIn(t, [
      ['oldest record', oldest === null ? null : count(oldest.sequence)],
      ['last record', count(last.sequence)],
      ['its hash', last.hash],
    ]),
  )
  return undefined
}

export const describeVerify = (command: Command, { t }: Io): Command =>
  command.description(t('walk the whole trail and name the first record that is not what it should be'))

const PAGE_SIZE = 500
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

export const verifyAudit: Run<object> = async ({ client, answer, io, options, t }) => {
  const ends = await client.getAuditChain()
  const walk = walkChain(ends, sha256)
  const bar = options.output === 'table' ? createBar(io.terminal) : null
  const first = ends.oldest?.sequence ?? ends.last.sequence + 1
  const total = ends.last.sequence - first + 1
  let walked = 0
  let broken: Break | null = null
  for await (const record of client.listAudit({}, { signal: io.signal, pageSize: PAGE_SIZE })) {
    // What was written since does not belong to the ends that were read.
    if (record.sequence > ends.last.sequence) break
    broken = walk.step(record)
    if (broken !== null) break
    walked += 1
    if (walked % PAGE_SIZE === 0 || walked === total) {
      bar?.show(t('audit trail'), walked / total, t('{part} of {whole}', { part: walked, whole: total }))
    }
  }
  bar?.leave()
  broken ??= walk.end()
  answer({ isWhole: broken === null, records: walked, firstBroken: broken }, ({ records, firstBroken }) =>
    firstBroken === null
      ? `${t('The trail is whole: {records} records, up to number {last}.', { records, last: ends.last.sequence })}\n`
      : `${t('The trail is broken: record {number} {what}.', { number: firstBroken.sequence, what: firstBroken.what })}\n`,
  )
  return broken === null ? EXIT.ok : EXIT.refused
}
