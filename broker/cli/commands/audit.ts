/** `audit list`, `audit verify`: who did what, and whether the trail that says so is whole. */
import { createHash } from 'node:crypto'
import type { Command } from 'commander'
import type { AuditRecord } from '../../../shared/audit.ts'
import { type Break, walkChain } from '../../core/audit-chain.ts'
import { collect } from '../../client/collect.ts'
import { EXIT } from '../failure.ts'
import type { Io } from '../io.ts'
import { createBar } from '../screen/bar.ts'
import type { Column } from '../screen/table.ts'
import { instant } from '../screen/words.ts'
import type { Run } from './command-context.ts'
import { instantOption, wholeNumber } from './options.ts'
import { defined } from './placement-options.ts'

const COLUMNS: readonly Column<AuditRecord>[] = [
  { head: 'at (UTC)', value: (one) => instant(one.at) },
  { head: 'client', value: (one) => one.actor },
  { head: 'did', value: (one) => one.action },
  { head: 'to', value: (one) => one.resource },
  { head: 'outcome', value: (one) => one.code ?? one.outcome },
  { head: 'request', value: (one) => one.requestId },
]

interface ListOptions {
  readonly from?: string
  readonly to?: string
  readonly actor?: string
  readonly action?: string
  readonly limit: number
}

export const describeAuditList = (command: Command, { now }: Io): Command =>
  command
    .description('who asked for what change')
    .option('--from <time>', 'only since then', instantOption(now))
    .option('--to <time>', 'only before then', instantOption(now))
    .option('--actor <client>', 'only what this client asked for')
    .option('--action <operation>', 'only this operation, such as createAllocation')
    .option('--limit <n>', 'at most so many, the oldest first', wholeNumber, 1_000)

export const listAudit: Run<ListOptions> = async ({ client, options, answerList, io }) => {
  const { from, to, actor, action } = options
  const found = client.listAudit(defined({ from, to, actor, action }), { signal: io.signal })
  const records = await collect(found, options.limit)
  answerList(records, COLUMNS, 'Nobody has asked for a change.')
  return undefined
}

export const describeVerify = (command: Command): Command =>
  command.description('walk the whole trail and name the first record that is not what it should be')

const PAGE_SIZE = 500
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

export const verifyAudit: Run<object> = async ({ client, answer, io }) => {
  const ends = await client.getAuditChain()
  const walk = walkChain(ends, sha256)
  const bar = createBar(io.terminal)
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
    if (walked % PAGE_SIZE === 0 || walked === total) bar.show('audit trail', walked / total, `${walked} of ${total}`)
  }
  bar.leave()
  broken ??= walk.end()
  answer({ isWhole: broken === null, records: walked, firstBroken: broken }, ({ records, firstBroken }) =>
    firstBroken === null
      ? `The trail is whole: ${records} records, up to number ${ends.last.sequence}.\n`
      : `The trail is broken: record ${firstBroken.sequence} ${firstBroken.what}.\n`,
  )
  return broken === null ? EXIT.ok : EXIT.refused
}
