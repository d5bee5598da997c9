/** `allocations watch`: shows how an allocation comes along, until it has come. */
import type { Command } from 'commander'
import type { Allocation } from '../../../shared/allocation.ts'
import { DAY_MS, HOUR_MS, SECOND_MS } from '../../../shared/time.ts'
import { follow, isOver } from '../follow.ts'
import { type Io, UsageError } from '../io.ts'
import { createProgress } from '../screen/progress.ts'
import { duration } from '../screen/words.ts'
import { allocationText } from './allocation-text.ts'
import type { CommandContext, Run } from './command-context.ts'
import { positiveNumber } from './options.ts'

export interface WatchOptions {
  readonly until: string
  readonly interval: number
  readonly timeout: number
}

const INTERVAL_S = 1
const TIMEOUT_HOURS = DAY_MS / HOUR_MS

export const addWatchOptions = (command: Command, io: Io): Command =>
  command
    .option('--until <status>', io.t('active, or final: ended for good'), 'active')
    .option('--interval <seconds>', io.t('between two looks'), positiveNumber(io), INTERVAL_S)
    .option('--timeout <hours>', io.t('give up after so long'), positiveNumber(io), TIMEOUT_HOURS)

export const describeWatch = (command: Command, io: Io): Command =>
  addWatchOptions(
    command.description(io.t('show how an allocation comes along, until it is active or has ended')).argument('<id>'),
    io,
  )

export const watchAllocation: Run<WatchOptions> = (context, id = '') => watchUntil(context, id)

/** @returns the exit status: 0 if it came where it was waited for */
export async function watchUntil(context: CommandContext<WatchOptions>, id: string): Promise<number> {
  const { client, io, options, t } = context
  const { until, timeout, interval, output } = options
  if (until !== 'active' && until !== 'final') throw new UsageError(t('--until must be active or final'))
  // A program gets one document at the end; what happens until then goes past it.
  const terminal =
    output === 'json' ? { ...io.terminal, write: io.terminal.writeError, isInteractive: false } : io.terminal
  const progress = createProgress({ terminal, now: io.now, t })
  const { allocations, isDone } = await follow({
    client,
    ids: [id],
    isDone: ({ status }) => isOver(status) || (until === 'active' && status === 'active'),
    onLook: (seen) => progress.show(seen),
    intervalMs: interval * SECOND_MS,
    timeoutMs: timeout * HOUR_MS,
    now: io.now,
    pause: io.pause,
    signal: io.signal,
  })
  progress.leave()
  const last = allocations[0] as Allocation // one id, one allocation
  context.answer(last, () => (last.status === 'active' ? '' : allocationText(last, t)))
  if (!isDone) {
    const after = duration(timeout * HOUR_MS)
    io.terminal.writeError(`${t('Still {status} after {after}.', { status: last.status, after })}\n`)
  }
  return isDone && cameTrue(last, until) ? 0 : 1
}

const cameTrue = ({ status, activeAt }: Allocation, until: 'active' | 'final'): boolean =>
  until === 'active' ? status === 'active' : status === 'released' || (status === 'cancelled' && activeAt === null)
