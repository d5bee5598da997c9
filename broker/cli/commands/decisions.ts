/** `decisions verify | show`: whether everything was decided as it is told, and why. */
import type { Command } from 'commander'
import { EXIT } from '../failure.ts'
import type { Io } from '../io.ts'
import { createBar } from '../screen/bar.ts'
import { count } from '../screen/words.ts'
import { type Verified, verifyDecisions } from '../verify-decisions.ts'
import type { Run } from './command-context.ts'
import { decisionText, deviationText } from './decision-text.ts'
import { instantOption } from './options.ts'
import { defined } from './placement-options.ts'

interface VerifyOptions {
  readonly from?: string
  readonly to?: string
}

export const describeVerify = (command: Command, { now }: Io): Command =>
  command
    .description('make every decision again on this machine, from the log that it followed from, and compare')
    .option('--from <time>', 'only those made then or later: a day or an RFC 3339 time', instantOption(now))
    .option('--to <time>', 'only those made before', instantOption(now))

/** The bar moves this often: a decision takes less than a millisecond. */
const SHOWN_EVERY = 50

export const verify: Run<VerifyOptions> = async ({ client, io, options, answer }) => {
  const bar = options.json === true ? null : createBar(io.terminal)
  const verified = await verifyDecisions(client, defined({ from: options.from, to: options.to }), {
    signal: io.signal,
    progress(share, decisions) {
      if (decisions % SHOWN_EVERY === 0 && share < 1) bar?.show('decisions', share, count(decisions))
      if (share === 1) bar?.leave()
    },
  })
  bar?.leave()
  answer(verified, verifiedText)
  return verified.deviation === null ? EXIT.ok : EXIT.refused
}

function verifiedText({ decisions, operations, logDigest, deviation }: Verified): string {
  const done = `${count(decisions)} decisions made again on ${count(operations)} operations of the calendar`
  if (deviation !== null) return `${deviationText(deviation)}${done}, up to there.\n`
  return `${done}: all came out the same.\nThe log’s digest is ${logDigest}\n`
}

export const describeShow = (command: Command): Command =>
  command.description('why a decision was made, and what would have changed it').argument('<id>')

export const show: Run<object> = async ({ client, answer }, id = '') => {
  answer(await client.getDecision(id), decisionText)
  return undefined
}
