/** `allocations release | extend | shrink | retry`: changing what there is. */
import type { Command } from 'commander'
import type { ReleaseRequest } from '../../../shared/allocation.ts'
import { type Io, UsageError } from '../io.ts'
import { allocationText } from './allocation-text.ts'
import type { Run } from './command-context.ts'
import { instantOption, wholeNumber } from './options.ts'
import { defined } from './placement-options.ts'

const REASONS: readonly NonNullable<ReleaseRequest['reason']>[] = ['finished', 'reclaimed', 'revoked', 'other']

interface ReleaseOptions {
  readonly reason?: string
  readonly at?: string
}

export const describeRelease = (command: Command, io: Io): Command =>
  command
    .description(io.t('end an allocation and give its nodes back'))
    .argument('<id>')
    .option('--reason <reason>', REASONS.join(', '))
    .option('--at <time>', io.t('not now but then: a day or an RFC 3339 time'), instantOption(io))

export const releaseAllocation: Run<ReleaseOptions> = async ({ client, options, answer, t }, id = '') => {
  const reason = REASONS.find((known) => known === options.reason)
  if (reason === undefined && options.reason !== undefined) {
    throw new UsageError(t('--reason must be one of {reasons}', { reasons: REASONS.join(', ') }))
  }
  answer(await client.releaseAllocation(id, defined({ reason, at: options.at })), (one) => allocationText(one, t))
  return undefined
}

export const describeExtend = (command: Command, io: Io): Command =>
  command
    .description(io.t('keep an allocation for longer, if nobody has the room after it'))
    .argument('<id>')
    .requiredOption('--end <time>', io.t('the new end: a day or an RFC 3339 time'), instantOption(io))

export const extendAllocation: Run<{ readonly end: string }> = async ({ client, options, answer, t }, id = '') => {
  answer(await client.extendAllocation(id, { end: options.end }), (one) => allocationText(one, t))
  return undefined
}

export const describeShrink = (command: Command, io: Io): Command =>
  command
    .description(io.t('give some nodes of an allocation back: those with the highest numbers'))
    .argument('<id>')
    .requiredOption('--nodes <n>', io.t('how many stay'), wholeNumber(io))

export const shrinkAllocation: Run<{ readonly nodes: number }> = async ({ client, options, answer, t }, id = '') => {
  answer(await client.shrinkAllocation(id, { nodes: options.nodes }), (one) => allocationText(one, t))
  return undefined
}

export const describeRetry = (command: Command, { t }: Io): Command =>
  command.description(t('take a failed allocation up again')).argument('<id>')

export const retryAllocation: Run<object> = async ({ client, answer, t }, id = '') => {
  answer(await client.retryAllocation(id), (one) => allocationText(one, t))
  return undefined
}
