/** `decisions list | show | verify`: what was decided and why, and whether it was decided as it is told. */
import type { Command } from 'commander'
import { DecisionRecord } from '../../../shared/proof.ts'
import { collect } from '../../client/collect.ts'
import { EXIT } from '../failure.ts'
import type { Io } from '../io.ts'
import { createBar } from '../screen/bar.ts'
import { count } from '../screen/words.ts'
import type { Text } from '../text/text.ts'
import { type Verified, verifyDecisions } from '../verify-decisions.ts'
import type { Run } from './command-context.ts'
import { RECORD_COLUMNS, decisionText, deviationText } from './decision-text.ts'
import { type LimitOption, addLimit, instantOption } from './options.ts'
import { defined } from './placement-options.ts'

interface RangeOptions {
  readonly from?: string
  readonly to?: string
}

const describeRange = (command: Command, io: Io): Command =>
  command
    .option('--from <time>', io.t('only those made then or later: a day or an RFC 3339 time'), instantOption(io))
    .option('--to <time>', io.t('only those made before'), instantOption(io))

export const describeList = (command: Command, io: Io): Command =>
  addLimit(describeRange(command.description(io.t('list all decisions, in the order in which they were made')), io), io)

export const listDecisions: Run<RangeOptions & LimitOption> = async ({ client, options, answerList }) => {
  const found = client.listDecisions(defined({ from: options.from, to: options.to }))
  answerList(await collect(found, options.limit), {
    schema: DecisionRecord,
    columns: RECORD_COLUMNS,
    whenEmpty: 'Nothing was decided.',
  })
  return undefined
}

export const describeVerify = (command: Command, io: Io): Command =>
  describeRange(
    command.description(
      io.t('make every decision again on this machine, from the log that it followed from, and compare'),
    ),
    io,
  )

/** The bar moves this often: a decision takes less than a millisecond. */
const SHOWN_EVERY = 50

export const verify: Run<RangeOptions> = async ({ client, io, options, answer, t }) => {
  const bar = options.output === 'json' ? null : createBar(io.terminal)
  const verified = await verifyDecisions(client, defined({ from: options.from, to: options.to }), {
    signal: io.signal,
    progress(share, decisions) {
      if (decisions % SHOWN_EVERY === 0 && share < 1) bar?.show(t('decisions'), share, count(decisions))
      if (share === 1) bar?.leave()
    },
  })
  bar?.leave()
  answer(verified, (one) => verifiedText(one, t))
  return verified.deviation === null ? EXIT.ok : EXIT.refused
}

function verifiedText({ decisions, operations, logDigest, deviation }: Verified, t: Text): string {
  const figures = { decisions: count(decisions), operations: count(operations) }
  if (deviation !== null) {
    const upTo = t('{decisions} decisions made again on {operations} operations of the calendar, up to there.', figures)
    return `${deviationText(deviation, t)}${upTo}\n`
  }
  const all = t(
    '{decisions} decisions made again on {operations} operations of the calendar: all came out the same.',
    figures,
  )
  return `${all}\n${t('The log’s digest is {digest}', { digest: logDigest })}\n`
}

export const describeShow = (command: Command, { t }: Io): Command =>
  command.description(t('why a decision was made, and what would have changed it')).argument('<id>')

export const show: Run<object> = async ({ client, answer, t }, id = '') => {
  answer(await client.getDecision(id), (one) => decisionText(one, t))
  return undefined
}
