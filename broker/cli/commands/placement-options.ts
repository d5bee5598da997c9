/** The options that say what is wanted, where and when; those of `preview` and of `allocations create` alike. */
import type { Command } from 'commander'
import type { Demand, Period, Prefers, PreviewRequest, Requires } from '../../../shared/allocation.ts'
import { HOUR_MS, toIso } from '../../../shared/time.ts'
import { type Io, UsageError } from '../io.ts'
import { instantOption, positiveNumber, repeated, wholeNumber } from './options.ts'
import { jsonFrom } from './request-file.ts'

export interface PlacementOptions {
  readonly file?: string
  readonly nodes?: number
  readonly gpus?: number
  readonly fp8?: number
  readonly architecture?: readonly string[]
  readonly gpuModel?: readonly string[]
  readonly cooling?: readonly string[]
  readonly minClusterNodes?: number
  readonly provider?: readonly string[]
  readonly stage?: readonly string[]
  readonly share?: readonly string[]
  readonly preferArchitecture?: string
  readonly preferCooling?: string
  readonly preferProvider?: string
  readonly start?: string
  readonly end?: string
  readonly hours?: number
  readonly earliestStart?: string
  readonly latestStart?: string
}

export function addPlacementOptions(command: Command, io: Io): Command {
  const { t } = io
  const time = instantOption(io)
  return command
    .option('--file <path>', t('a request as JSON, "-" for standard input; options win over it'))
    .option('--nodes <n>', t('nodes of 8 GPUs'), wholeNumber(io))
    .option('--gpus <n>', t('GPUs, a multiple of 8'), wholeNumber(io))
    .option('--fp8 <n>', t('FP8 compute, counted in H200 GPUs'), positiveNumber(io))
    .option('--architecture <name>', t('required: blackwell, hopper (repeatable)'), repeated)
    .option('--gpu-model <name>', t('required: B200, H200 (repeatable)'), repeated)
    .option('--cooling <kind>', t('required: liquid, air, undisclosed (repeatable)'), repeated)
    .option('--min-cluster-nodes <n>', t('required: the full size of the cluster'), wholeNumber(io))
    .option('--provider <id>', t('required operator (repeatable)'), repeated)
    .option('--stage <stage>', t('required: beta, general, undisclosed (repeatable)'), repeated)
    .option('--share <share>', t('required: government, operator (repeatable; default government)'), repeated)
    .option('--prefer-architecture <name>', t('preferred, not required'))
    .option('--prefer-cooling <kind>', t('preferred, not required'))
    .option('--prefer-provider <id>', t('preferred, not required'))
    .option('--start <time>', t('fixed start: "now", a day or an RFC 3339 time'), time)
    .option('--end <time>', t('fixed end'), time)
    .option('--hours <n>', t('how long: with --start fixed, without it flexible'), positiveNumber(io))
    .option('--earliest-start <time>', t('flexible: not before'), time)
    .option('--latest-start <time>', t('flexible: not after'), time)
}

/** Checked by the broker, which names each member that is wrong. @throws UsageError where the options contradict each other */
export async function placementFrom(options: PlacementOptions, io: Io): Promise<PreviewRequest> {
  const given = options.file === undefined ? {} : await jsonFrom(options.file, io)
  const demand = demandFrom(options, io)
  const period = periodFrom(options, io)
  const requires = { ...(given['requires'] as Requires | undefined), ...requiresFrom(options) }
  const prefers = { ...(given['prefers'] as Prefers | undefined), ...prefersFrom(options) }
  const request = {
    ...given,
    ...(demand === null ? {} : { demand }),
    ...(Object.keys(requires).length === 0 ? {} : { requires }),
    ...(Object.keys(prefers).length === 0 ? {} : { prefers }),
    ...(period === null ? {} : { period }),
  }
  if (!('demand' in request))
    throw new UsageError(io.t('say how much: --nodes, --gpus, --fp8, or a --file with a demand'))
  if (!('period' in request))
    throw new UsageError(io.t('say when: --hours, --start with --end or --hours, or a --file with a period'))
  return request as PreviewRequest // as far as the options go; the broker checks the file's part
}

function demandFrom({ nodes, gpus, fp8 }: PlacementOptions, { t }: Io): Demand | null {
  const given = defined({ nodes, gpus, fp8H200Equivalent: fp8 })
  if (Object.keys(given).length > 1) throw new UsageError(t('give one of --nodes, --gpus and --fp8'))
  return Object.keys(given).length === 0 ? null : given
}

const requiresFrom = (options: PlacementOptions): Requires =>
  defined({
    architectures: options.architecture,
    gpuModels: options.gpuModel,
    cooling: options.cooling,
    minClusterNodes: options.minClusterNodes,
    providers: options.provider,
    stages: options.stage,
    shares: options.share,
  }) as Requires // names and shapes as above; the broker checks the values

const prefersFrom = (options: PlacementOptions): Prefers =>
  defined({
    architecture: options.preferArchitecture,
    cooling: options.preferCooling,
    provider: options.preferProvider,
  }) as Prefers // as above

function periodFrom({ start, end, hours, earliestStart, latestStart }: PlacementOptions, { t }: Io): Period | null {
  const isFlexible = earliestStart !== undefined || latestStart !== undefined
  if (start !== undefined) {
    if (isFlexible) throw new UsageError(t('--start fixes the start: leave out --earliest-start and --latest-start'))
    if ((end === undefined) === (hours === undefined)) throw new UsageError(t('--start needs one of --end and --hours'))
    return { start, end: end ?? toIso(Date.parse(start) + (hours ?? 0) * HOUR_MS) }
  }
  if (end !== undefined) throw new UsageError(t('--end needs --start'))
  if (hours !== undefined) return { durationHours: hours, ...defined({ earliestStart, latestStart }) }
  if (isFlexible) throw new UsageError(t('--earliest-start and --latest-start need --hours'))
  return null
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** Without the members that are undefined. */
export const defined = <T extends object>(members: T): Defined<T> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Defined<T> // just filtered
