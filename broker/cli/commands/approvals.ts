/** `approvals put | get | list | revoke`: who may have how much, until when. */
import type { Command } from 'commander'
import { Approval, type ApprovalRequest } from '../../../shared/approval.ts'
import { collect } from '../../client/collect.ts'
import { type Io, UsageError } from '../io.ts'
import { count, instant, orNone } from '../screen/words.ts'
import type { Text } from '../text/text.ts'
import type { Run } from './command-context.ts'
import { type Column, factsIn } from './listing.ts'
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

export function describePut(command: Command, io: Io): Command {
  const { t } = io
  const time = instantOption(io)
  return command
    .description(t('register an approval, or replace it'))
    .argument('<id>', t('chosen by you: 1 to 64 of [A-Za-z0-9._-]'))
    .option('--file <path>', t('the approval as JSON, "-" for standard input; options win over it'))
    .option('--organization <id>', t('who may have it'))
    .option('--organization-name <name>')
    .option('--organization-type <type>', t('university, institute, company, startup or public'))
    .option('--program <id>', t('the programme that it belongs to'))
    .option('--priority <priority>', t('national, standard or idle'))
    .option('--max-nodes <n>', t('nodes at once'), wholeNumber(io))
    .option('--gpu-hours <n>', t('GPU-hours over the whole validity'), positiveNumber(io))
    .option('--architecture <name>', t('blackwell, hopper (repeatable)'), repeated)
    .option('--from <time>', t('valid from: "now", a day or an RFC 3339 time'), time)
    .option('--to <time>', t('valid until'), time)
    .option('--note <text>')
}

export const putApproval: Run<PutOptions> = async ({ client, options, io, answer, t }, id = '') => {
  const { approval, created } = await client.putApproval(id, await requestFrom(options, io))
  answer(approval, (one) => {
    const done = created ? t('Registered: {id}.', one) : t('Replaced: {id}.', one)
    return `${done}\n${approvalText(one, t)}`
  })
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
    throw new UsageError(io.t('say whose it is: --organization and --program, or a --file'))
  }
  return { ...given, ...own, limits } as ApprovalRequest // the broker checks it, and names each member that is wrong
}

export const describeGet = (command: Command, { t }: Io): Command =>
  command.description(t('look at one approval and what it has used')).argument('<id>')

export const getApproval: Run<object> = async ({ client, answer, t }, id = '') => {
  answer(await client.getApproval(id), (one) => approvalText(one, t))
  return undefined
}

export const describeRevoke = (command: Command, { t }: Io): Command =>
  command.description(t('revoke an approval; its allocations are released')).argument('<id>')

export const revokeApproval: Run<object> = async ({ client, answer, t }, id = '') => {
  answer(await client.revokeApproval(id), (one) => approvalText(one, t))
  return undefined
}

export const describeList = (command: Command, { t }: Io): Command => command.description(t('list the approvals'))

export const listApprovals: Run<object> = async ({ client, answerList }) => {
  answerList(await collect(client.listApprovals()), {
    schema: Approval,
    columns: COLUMNS,
    whenEmpty: 'No approvals.',
  })
  return undefined
}

const COLUMNS: readonly Column<Approval>[] = [
  { head: 'approval', value: (one) => one.id },
  { head: 'organisation', value: (one) => one.organizationName ?? one.organizationId },
  { head: 'programme', value: (one) => one.program },
  { head: 'priority', value: (one) => one.priority },
  { head: 'status', value: (one) => one.status },
  { head: 'nodes', align: 'right', value: (one, t) => nodesText(one, t) },
  {
    head: 'GPU-hours committed',
    align: 'right',
    value: ({ usage, limits }, t) =>
      t('{part} of {whole}', { part: count(usage.gpuHoursCommitted), whole: count(limits.gpuHours) }),
  },
  { head: 'valid until (UTC)', value: (one) => instant(one.limits.validTo) },
]

const nodesText = ({ usage, limits }: Approval, t: Text): string =>
  t('{part} of {whole}', { part: usage.nodesInUse, whole: limits.maxNodes })

const approvalText = (one: Approval, t: Text): string =>
  factsIn(t, [
    ['approval', `${one.id}, ${one.status}`],
    ['organisation', `${one.organizationName ?? one.organizationId} (${orNone(one.organizationType)})`],
    ['programme', one.program],
    ['priority', one.priority],
    ['architectures', one.limits.architectures.join(', ')],
    ['valid from (UTC)', instant(one.limits.validFrom)],
    ['valid until (UTC)', instant(one.limits.validTo)],
    ['nodes in use', nodesText(one, t)],
    [
      'GPU-hours',
      t('{committed} committed, {used} used, of {granted}', {
        committed: count(one.usage.gpuHoursCommitted),
        used: count(one.usage.gpuHoursUsed),
        granted: count(one.limits.gpuHours),
      }),
    ],
    ['note', one.note],
  ])
