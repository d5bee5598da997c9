/**
 * `--config`: the adapter's own settings, and what the kit must know about the operator behind it. `env:NAME` and
 * `file:/path` are resolved in all of it.
 */
import { z } from 'zod'
import { OwnerChosenId } from '../../shared/ids.ts'
import { BaseUrl } from '../../shared/provider-settings.ts'
import { resolveSecrets } from '../resolve-secrets.ts'

const Match = z.strictObject({
  method: z.string().optional(),
  /** A regular expression, searched for in the path of the request target. */
  path: z.string().optional(),
})

const Milliseconds = z.int().min(1).max(86_400_000)
const Nodes = z.int().min(1).max(10_000)

export const KitConfig = z.strictObject({
  /** The adapter's settings as in the broker's providers' file. */
  provider: z.looseObject({ id: OwnerChosenId, kind: z.string() }),
  /** Where nodes are made. Default: the first cluster that the adapter describes. */
  clusterId: OwnerChosenId.optional(),
  /** Members of `provider` to replace, deeply, so that the operator does not accept the key. Default: those cases are skipped. */
  wrongKey: z.looseObject({}).optional(),
  /** An instance id in the operator's form that no node has. Default: those cases are skipped. */
  unknownInstanceId: z.string().min(1).optional(),
  /** Nodes in one page of the operator's list, set low in `provider` if it can be. Default: those cases are skipped. */
  pageSize: Nodes.optional(),
  /** Nodes of the burst: the cluster's size, if you can have it. Default: that case is skipped. */
  burstNodes: Nodes.optional(),
  /** Cases that need more nodes at once are skipped. Default 4. */
  maxNodes: Nodes.default(4),
  /** A sandbox that follows our control endpoints. Default: cases that need faults are skipped. */
  faults: z
    .strictObject({
      /** Where `ledger`, `faults`, `behaviour` and `clock` are. */
      controlUrl: BaseUrl,
      /** Which HTTP calls of the operator make nodes, list them, and delete them. */
      calls: z.strictObject({ create: Match, list: Match, remove: Match }),
    })
    .optional(),
  patience: z
    .strictObject({
      /** One call. Default 30 s. */
      callMs: Milliseconds.default(30_000),
      /** Nodes on their way to ready, or to gone. Default 30 min: bare metal boots slowly. */
      readyMs: Milliseconds.default(1_800_000),
      /** Between two looks. Default 1 s. */
      lookEveryMs: Milliseconds.default(1_000),
      /** By how much a call may overrun its deadline, or outlive its caller. Default 2 s. */
      graceMs: Milliseconds.default(2_000),
    })
    .prefault({}),
})
export type KitConfig = z.infer<typeof KitConfig>

/** The configuration, or the adapter's module, cannot be used: the sentence says why. */
export class KitError extends Error {
  override readonly name = 'KitError'
}

type Env = Readonly<Record<string, string | undefined>>

/** @throws KitError with one line for each member that is not as it should be; never with a secret */
export function readKitConfig(text: string, env: Env): KitConfig {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new KitError('the configuration is not JSON')
  }
  const fail = (sentence: string): KitError => new KitError(sentence)
  const parsed = KitConfig.safeParse(resolveSecrets(value, { env, fail }))
  if (!parsed.success) throw new KitError(`the configuration: ${z.prettifyError(parsed.error)}`)
  return parsed.data
}

/** `change` laid over `base`, member by member. */
export function laidOver(base: unknown, change: unknown): unknown {
  if (!isRecord(base) || !isRecord(change)) return change
  return { ...base, ...mapValues(change, (member, name) => laidOver(base[name], member)) }
}

/** All texts in a value, however deep. */
export function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const mapValues = (
  record: Readonly<Record<string, unknown>>,
  map: (value: unknown, name: string) => unknown,
): Record<string, unknown> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value, name)]))
