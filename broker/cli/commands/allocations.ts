/** `allocations list | get | nodes | release`, and `waitlist`: looking at what there is, and giving it back. */
import type { Command } from 'commander'
import type { ReleaseRequest } from '../../../shared/allocation.ts'
import type { AllocationFilter } from '../../client/allocations.ts'
import { collect } from '../../client/collect.ts'
import { type Io, UsageError } from '../io.ts'
import { ALLOCATION_COLUMNS, NODE_COLUMNS, WAITLIST_COLUMNS, allocationText } from './allocation-text.ts'
import type { Run } from './command-context.ts'
import { instantOption, wholeNumber } from './options.ts'
import { defined } from './placement-options.ts'

interface ListOptions {
  readonly status?: NonNullable<AllocationFilter['status']>
  readonly organization?: string
  readonly provider?: string
  readonly cluster?: string
  readonly approval?: string
  readonly program?: string
  readonly label?: string
  readonly limit: number
}

const DEFAULT_LIMIT = 200

export const describeList = (command: Command): Command =>
  command
    .description('list allocations')
    .option('--status <status>')
    .option('--organization <id>')
    .option('--provider <id>')
    .option('--cluster <id>')
    .option('--approval <id>')
    .option('--program <id>')
    .option('--label <key=value>')
    .option('--limit <n>', 'at most so many', wholeNumber, DEFAULT_LIMIT)

export const listAllocations: Run<ListOptions> = async ({ client, options, answerList }) => {
  const filter = defined({
    status: options.status,
    organizationId: options.organization,
    providerId: options.provider,
    clusterId: options.cluster,
    approvalId: options.approval,
    program: options.program,
    label: options.label?.replace('=', ':'),
  })
  answerList(await collect(client.listAllocations(filter), options.limit), ALLOCATION_COLUMNS, 'No allocations.')
  return undefined
}

export const describeGet = (command: Command): Command => command.description('look at one allocation').argument('<id>')

export const getAllocation: Run<object> = async ({ client, answer }, id = '') => {
  answer(await client.getAllocation(id), allocationText)
  return undefined
}

export const describeNodes = (command: Command): Command =>
  command.description('list the nodes of an allocation').argument('<id>')

export const listNodes: Run<object> = async ({ client, answerList }, id = '') => {
  answerList(await collect(client.listAllocationNodes(id)), NODE_COLUMNS, 'No nodes yet.')
  return undefined
}

const REASONS: readonly NonNullable<ReleaseRequest['reason']>[] = ['finished', 'reclaimed', 'revoked', 'other']

interface ReleaseOptions {
  readonly reason?: string
  readonly at?: string
}

export const describeRelease = (command: Command, { now }: Io): Command =>
  command
    .description('end an allocation and give its nodes back')
    .argument('<id>')
    .option('--reason <reason>', REASONS.join(', '))
    .option('--at <time>', 'not now but then: a day or an RFC 3339 time', instantOption(now))

export const releaseAllocation: Run<ReleaseOptions> = async ({ client, options, answer }, id = '') => {
  const reason = REASONS.find((known) => known === options.reason)
  if (reason === undefined && options.reason !== undefined) {
    throw new UsageError(`--reason must be one of ${REASONS.join(', ')}`)
  }
  answer(await client.releaseAllocation(id, defined({ reason, at: options.at })), allocationText)
  return undefined
}

export const describeWaitlist = (command: Command): Command =>
  command
    .description('list who waits, in serving order')
    .option('--architecture <name>', 'only those that could run on it')

export const listWaitlist: Run<{ readonly architecture?: string }> = async ({ client, options, answerList }) => {
  const { architecture } = options
  const filter = architecture === undefined ? {} : { architecture }
  answerList(await collect(client.listWaitlist(filter)), WAITLIST_COLUMNS, 'Nobody waits.')
  return undefined
}
