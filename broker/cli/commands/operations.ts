/** `freeze`, `unfreeze`, `hold-deletes`, `resume-deletes`, `log-level`: holding the broker's hands, and hearing more of it. */
import { type Command, Argument } from 'commander'
import type { Frozen } from '../../../shared/operation.ts'
import { LOG_LEVELS, type LogLevel } from '../../../shared/operation.ts'
import type { HeldDeletes } from '../../../shared/reconciliation.ts'
import type { Io } from '../io.ts'
import type { Plain, Text } from '../text/text.ts'
import type { Run } from './command-context.ts'
import { type ReasonOption, addReason, reasonOf } from './options.ts'
import { defined } from './placement-options.ts'

interface FreezeOptions extends ReasonOption {
  readonly provider?: string
}

const describeFreezing =
  (description: Plain) =>
  (command: Command, io: Io): Command =>
    addReason(command.description(io.t(description)).option('--provider <id>', io.t('default: all operators')), io)

export const describeFreeze = describeFreezing('make and delete nothing at operators; requests are still taken')
export const describeUnfreeze = describeFreezing('make and delete at operators again')

const frozenText = ({ frozen }: Frozen, t: Text): string =>
  frozen.length === 0
    ? `${t('Nothing is frozen.')}\n`
    : `${t('Frozen: {operators}.', { operators: frozen.join(', ') })}\n`

export const freeze: Run<FreezeOptions> = async ({ client, options, answer, t }) => {
  const request = { ...reasonOf(options), ...defined({ providerId: options.provider }) }
  answer(await client.freeze(request), (one) => frozenText(one, t))
  return undefined
}

export const unfreeze: Run<FreezeOptions> = async ({ client, options, answer, t }) => {
  const request = { ...reasonOf(options), ...defined({ providerId: options.provider }) }
  answer(await client.unfreeze(request), (one) => frozenText(one, t))
  return undefined
}

const describeHolding =
  (description: Plain) =>
  (command: Command, io: Io): Command =>
    addReason(command.description(io.t(description)), io)

export const describeHold = describeHolding('delete nothing at any operator that no person has asked for')
export const describeResume = describeHolding('delete at operators again, after a restore or hold-deletes')

const heldText = ({ deletesHeld }: HeldDeletes, t: Text): string =>
  `${deletesHeld ? t('Deletions are held.') : t('Deletions are resumed.')}\n`

export const holdDeletes: Run<ReasonOption> = async ({ client, options, answer, t }) => {
  answer(await client.holdDeletes(reasonOf(options)), (one) => heldText(one, t))
  return undefined
}

export const resumeDeletes: Run<ReasonOption> = async ({ client, options, answer, t }) => {
  answer(await client.resumeDeletes(reasonOf(options)), (one) => heldText(one, t))
  return undefined
}

export const describeLogLevel = (command: Command, { t }: Io): Command =>
  command
    .description(t('log more or less from now on, at the replica that answers'))
    .addArgument(new Argument('<level>').choices(LOG_LEVELS))

export const setLogLevel: Run<object> = async ({ client, answer, t }, level = '') => {
  const request = { level: level as LogLevel['level'] } // one of the choices
  answer(await client.setLogLevel(request), (one) => `${t('Logged from now on: {level}.', { level: one.level })}\n`)
  return undefined
}
