/** `allocations list | get | nodes | decisions`, and `waitlist`: looking at what there is. */
import type { Command } from 'commander'
import { Allocation, AllocationNode, WaitlistItem } from '../../../shared/allocation.ts'
import { Decision } from '../../../shared/decision.ts'
import type { AllocationFilter } from '../../client/allocations.ts'
import { collect } from '../../client/collect.ts'
import type { Io } from '../io.ts'
import { ALLOCATION_COLUMNS, NODE_COLUMNS, allocationText, waitlistColumns } from './allocation-text.ts'
import type { Run } from './command-context.ts'
import { DECISION_COLUMNS } from './decision-text.ts'
import { type LimitOption, addLimit } from './options.ts'
import { defined } from './placement-options.ts'

interface ListOptions extends LimitOption {
  readonly status?: NonNullable<AllocationFilter['status']>
  readonly organization?: string
  readonly provider?: string
  readonly cluster?: string
  readonly approval?: string
  readonly program?: string
  readonly label?: string
}

export const describeList = (command: Command, io: Io): Command =>
  addLimit(
    command
      .description(io.t('list allocations'))
      .option('--status <status>')
      .option('--organization <id>')
      .option('--provider <id>')
      .option('--cluster <id>')
      .option('--approval <id>')
      .option('--program <id>')
      .option('--label <key=value>'),
    io,
  )

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
  answerList(await collect(client.listAllocations(filter), options.limit), {
    schema: Allocation,
    columns: ALLOCATION_COLUMNS,
    whenEmpty: 'No allocations.',
  })
  return undefined
}

export const describeGet = (command: Command, { t }: Io): Command =>
  command.description(t('look at one allocation')).argument('<id>')

export const getAllocation: Run<object> = async ({ client, answer, t }, id = '') => {
  answer(await client.getAllocation(id), (one) => allocationText(one, t))
  return undefined
}

export const describeNodes = (command: Command, { t }: Io): Command =>
  command.description(t('list the nodes of an allocation')).argument('<id>')

export const listNodes: Run<object> = async ({ client, answerList }, id = '') => {
  answerList(await collect(client.listAllocationNodes(id)), {
    schema: AllocationNode,
    columns: NODE_COLUMNS,
    whenEmpty: 'No nodes yet.',
  })
  return undefined
}

export const describeDecisions = (command: Command, { t }: Io): Command =>
  command.description(t('list what was decided about an allocation')).argument('<id>')

export const listDecisions: Run<object> = async ({ client, answerList }, id = '') => {
  answerList(await collect(client.listAllocationDecisions(id)), {
    schema: Decision,
    columns: DECISION_COLUMNS,
    whenEmpty: 'Nothing was decided.',
  })
  return undefined
}

export const describeWaitlist = (command: Command, { t }: Io): Command =>
  command
    .description(t('list who waits, in serving order'))
    .option('--architecture <name>', t('only those that could run on it'))

export const listWaitlist: Run<{ readonly architecture?: string }> = async ({ client, options, answerList, t }) => {
  const { architecture } = options
  const filter = architecture === undefined ? {} : { architecture }
  answerList(await collect(client.listWaitlist(filter)), {
    schema: WaitlistItem,
    columns: waitlistColumns(t),
    whenEmpty: 'Nobody waits.',
  })
  return undefined
}
