/** `approvals put | get | list`: who may have how much, until when. */
import type { Command } from 'commander'
import type { Approval, ApprovalRequest } from '../../../shared/approval.ts'
import { collect } from '../../client/collect.ts'
import { type Io, UsageError } from '../io.ts'
import { type Column, facts } from '../screen/table.ts'
import { count, instant, orNone } from '../screen/words.ts'
import type { Run } from './command-context.ts'
import { instantOption, positiveNumber, repeated, wholeNumber } from './options.ts'
import { defined } from './placement-options.ts'
import { jsonFrom } from './request-file.ts'

interface PutOptions {
  readonly file?: string
  readonly organization?: string
  readonly organizationName?: string
  readonly organizationType?: string
  readonly program?: string
  readonly priority?: string
  readonly maxNodes?: number
  readonly gpuHours?: number
  readonly architecture?: readonly string[]
  readonly from?: string
  readonly to?: string
  readonly note?: string
}

export function describePut(command: Command, { now }: Io): Command {
  const time = instantOption(now)
  return command
    .description('register an approval, or replace it')
    .argument('<id>', 'chosen by you: 1 to 64 of [A-Za-z0-9._-]')
    .option('--file <path>', 'the approval as JSON, "-" for standard input; options win over it')
    .option('--organization <id>', 'who may have it')
    .option('--organization-name <name>')
    .option('--organization-type <type>', 'university, institute, company, startup or public')
    .option('--program <id>', 'the programme that it belongs to')
    .option('--priority <priority>', 'national, standard or idle')
    .option('--max-nodes <n>', 'nodes at once', wholeNumber)
    .option('--gpu-hours <n>', 'GPU-hours over the whole validity', positiveNumber)
    .option('--architecture <name>', 'blackwell, hopper (repeatable)', repeated)
    .option('--from <time>', 'valid from: "now", a day or an RFC 3339 time', time)
    .option('--to <time>', 'valid until', time)
    .option('--note <text>')
}

export const putApproval: Run<PutOptions> = async ({ client, options, io, answer }, id = '') => {
  const { approval, created } = await client.putApproval(id, await requestFrom(options, io))
  answer(approval, (one) => `${created ? 'Registered' : 'Replaced'} ${one.id}.\n${approvalText(one)}`)
  return undefined
}

async function requestFrom(options: PutOptions, io: Io): Promise<ApprovalRequest> {
  const given = options.file === undefined ? {} : await jsonFrom(options.file, io)
  const limits = {
    ...(given['limits'] as object | undefined),
    ...defined({
      maxNodes: options.maxNodes,
      gpuHours: options.gpuHours,
      architectures: options.architecture,
      validFrom: options.from,
      validTo: options.to,
    }),
  }
  const { organization, organizationName, organizationType, program, priority, note } = options
  const own = defined({ organizationId: organization, organizationName, organizationType, program, priority, note })
  if (options.file === undefined && (organization === undefined || program === undefined)) {
    throw new UsageError('say whose it is: --organization and --program, or a --file')
  }
  return { ...given, ...own, limits } as ApprovalRequest // the broker checks it, and names each member that is wrong
}

export const describeGet = (command: Command): Command =>
  command.description('look at one approval and what it has used').argument('<id>')

export const getApproval: Run<object> = async ({ client, answer }, id = '') => {
  answer(await client.getApproval(id), approvalText)
  return undefined
}

export const describeList = (command: Command): Command => command.description('list the approvals')

export const listApprovals: Run<object> = async ({ client, answerList }) => {
  answerList(await collect(client.listApprovals()), COLUMNS, 'No approvals.')
  return undefined
}

const COLUMNS: readonly Column<Approval>[] = [
  { head: 'approval', value: (one) => one.id },
  { head: 'organisation', value: (one) => one.organizationName ?? one.organizationId },
  { head: 'programme', value: (one) => one.program },
  { head: 'priority', value: (one) => one.priority },
  { head: 'status', value: (one) => one.status },
  { head: 'nodes', align: 'right', value: (one) => `${one.usage.nodesInUse} of ${one.limits.maxNodes}` },
  {
    head: 'GPU-hours committed',
    align: 'right',
    value: (one) => `${count(one.usage.gpuHoursCommitted)} of ${count(one.limits.gpuHours)}`,
  },
  { head: 'valid until (UTC)', value: (one) => instant(one.limits.validTo) },
]

const approvalText = (one: Approval): string =>
  facts([
    ['approval', `${one.id}, ${one.status}`],
    ['organisation', `${one.organizationName ?? one.organizationId} (${orNone(one.organizationType)})`],
    ['programme', `${one.program}, priority ${one.priority}`],
    ['architectures', one.limits.architectures.join(', ')],
    ['valid', `${instant(one.limits.validFrom)} to ${instant(one.limits.validTo)} UTC`],
    ['nodes in use', `${one.usage.nodesInUse} of ${one.limits.maxNodes}`],
    [
      'GPU-hours',
      `${count(one.usage.gpuHoursCommitted)} committed, ${count(one.usage.gpuHoursUsed)} used, of ${count(one.limits.gpuHours)}`,
    ],
    ['note', one.note],
  ])
