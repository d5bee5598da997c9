/** `preview`: where and when a request could be placed, and what speaks against the rest. */
import type { Command } from 'commander'
import type { PreviewRequest } from '../../../shared/allocation.ts'
import type { Candidate, PlacementPreview } from '../../../shared/decision.ts'
import type { Io } from '../io.ts'
import { type Column, table } from '../screen/table.ts'
import { NONE, instant } from '../screen/words.ts'
import type { Run } from './command-context.ts'
import { type PlacementOptions, addPlacementOptions, placementFrom } from './placement-options.ts'

interface PreviewOptions extends PlacementOptions {
  readonly priority?: NonNullable<PreviewRequest['priority']>
}

export const describePreview = (command: Command, io: Io): Command =>
  addPlacementOptions(command.description('see where and when a request could be placed; changes nothing'), io).option(
    '--priority <priority>',
    'national, standard or idle',
  )

export const preview: Run<PreviewOptions> = async ({ client, options, io, answer }) => {
  const request = await placementFrom(options, io)
  const { priority } = options
  const answered = await client.previewPlacement(priority === undefined ? request : { ...request, priority })
  answer(answered, previewText)
  return undefined
}

export function previewText({ best, candidates }: PlacementPreview): string {
  const sentence = best === null ? 'No cluster can take it.' : `Best: ${best}.`
  return `${candidatesText(candidates)}${sentence}\n`
}

/** Also what a refusal carries, where only a cluster's id and its reasons may be there. */
export const candidatesText = (candidates: readonly Pick<Candidate, 'clusterId' | 'reasons'>[]): string =>
  table(COLUMNS, candidates)

type Shown = Pick<Candidate, 'clusterId' | 'reasons'> & Partial<Candidate>

const COLUMNS: readonly Column<Shown>[] = [
  { head: 'cluster', value: (one) => one.clusterId },
  { head: 'nodes', align: 'right', value: (one) => one.nodes ?? NONE },
  { head: 'GPUs', align: 'right', value: (one) => one.gpus ?? NONE },
  { head: 'earliest start (UTC)', value: (one) => instant(one.earliestStart ?? null) },
  { head: 'score', align: 'right', value: (one) => one.score?.toFixed(2) ?? NONE },
  { head: 'why not', value: (one) => one.reasons.map((reason) => reason.detail).join('\n') },
]
