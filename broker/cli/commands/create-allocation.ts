/** `allocations create`: asks for nodes under an approval. */
import type { Command } from 'commander'
import type { AllocationRequest } from '../../../shared/allocation.ts'
import { type Io, UsageError } from '../io.ts'
import { allocationText } from './allocation-text.ts'
import type { Run } from './command-context.ts'
import { keyValue, repeatedWhole } from './options.ts'
import { type PlacementOptions, addPlacementOptions, defined, placementFrom } from './placement-options.ts'
import { sshKeysFrom } from './request-file.ts'
import { type WatchOptions, addWatchOptions, watchUntil } from './watch.ts'

interface CreateOptions extends PlacementOptions, WatchOptions {
  readonly approval?: string
  readonly name?: string
  readonly ifUnavailable?: string
  readonly image?: string
  readonly sshKey?: readonly string[]
  readonly label?: Readonly<Record<string, string>>
  readonly idempotencyKey?: string
  readonly watch?: boolean
}

export function describeCreate(command: Command, io: Io): Command {
  const { t } = io
  const placed = addPlacementOptions(command.description(t('ask for nodes under an approval')), io)
    .option('--approval <id>', t('the approval that allows it'))
    .option('--name <name>', t('a line of text for people'))
    .option('--if-unavailable <what>', t('waitlist (default) or reject'))
    .option('--image <alias>', t('default: the first image of the cluster'))
    .option('--ssh-key <file>', t('a file of public keys to place on every node (repeatable)'), repeatedWhole)
    .option('--label <key=value>', t('repeatable'), keyValue(io))
    .option('--idempotency-key <key>', t('the same key asks once, however often it is sent; default a new one'))
    .option('--watch', t('stay and show how it comes along'))
  return addWatchOptions(placed, io)
}

export const createAllocation: Run<CreateOptions> = async (context, ..._args) => {
  const { client, options, io, answer, t } = context
  const request = await requestFrom(options, io)
  const { idempotencyKey } = options
  const made = await client.createAllocation(request, idempotencyKey === undefined ? {} : { idempotencyKey })
  if (options.watch === true) return await watchUntil(context, made.id)
  answer(made, (one) => allocationText(one, t))
  return undefined
}

async function requestFrom(options: CreateOptions, io: Io): Promise<AllocationRequest> {
  const placement: Partial<AllocationRequest> = await placementFrom(options, io) // a file may hold the rest, too
  const sshPublicKeys = options.sshKey === undefined ? undefined : await sshKeysFrom(options.sshKey, io)
  const access = { ...placement.access, ...defined({ sshPublicKeys, image: options.image }) }
  const labels = { ...placement.labels, ...options.label }
  const { approval, name, ifUnavailable } = options
  const request = {
    ...placement,
    ...defined({ approvalId: approval, name, ifUnavailable }),
    ...(Object.keys(access).length === 0 ? {} : { access }),
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
  }
  if (!('approvalId' in request)) throw new UsageError(io.t('say under which approval: --approval'))
  if (!('name' in request)) throw new UsageError(io.t('give it a name: --name'))
  return request as AllocationRequest // the broker checks it, and names each member that is wrong
}
