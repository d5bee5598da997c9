/** `preview`: where and when a request could be placed, and what speaks against the rest. */
import type { Command } from 'commander'
import type { PreviewRequest } from '../../../shared/allocation.ts'
import { Candidate, type PlacementPreview } from '../../../shared/decision.ts'
import type { Io } from '../io.ts'
import { NONE, instant } from '../screen/words.ts'
import { sheetOf } from '../sheet.ts'
import type { Text } from '../text/text.ts'
import type { Run } from './command-context.ts'
import { type Column, tableIn } from './listing.ts'
import { type PlacementOptions, addPlacementOptions, placementFrom } from './placement-options.ts'

interface PreviewOptions extends PlacementOptions {
  readonly priority?: NonNullable<PreviewRequest['priority']>
}

export const describePreview = (command: Command, io: Io): Command =>
  addPlacementOptions(
    command.description(io.t('see where and when a request could be placed; changes nothing')),
    io,
  ).option('--priority <priority>', io.t('national, standard or idle'))

export const preview: Run<PreviewOptions> = async ({ client, options, io, answerSheet, t }) => {
  const request = await placementFrom(options, io)
  const { priority } = options
  const answered = await client.previewPlacement(priority === undefined ? request : { ...request, priority })
  answerSheet(
    answered,
    () => sheetOf(Candidate, answered.candidates),
    (one) => previewText(one, t),
  )
  return undefined
}

function previewText({ best, candidates }: PlacementPreview, t: Text): string {
  const sentence = best === null ? t('No cluster can take it.') : t('Best: {cluster}.', { cluster: best })
  return `${candidatesText(candidates, t)}${sentence}\n`
}

/** Also what a refusal carries, where only a cluster's id and its reasons may be there. */
export const candidatesText = (candidates: readonly Pick<Candidate, 'clusterId' | 'reasons'>[], t: Text): string =>
  tableIn(t, COLUMNS, candidates)

type Shown = Pick<Candidate, 'clusterId' | 'reasons'> & Partial<Candidate>

const COLUMNS: readonly Column<Shown>[] = [
  { head: 'cluster', value: (one) => one.clusterId },
  { head: 'nodes', align: 'right', value: (one) => one.nodes ?? NONE },
  { head: 'GPUs', align: 'right', value: (one) => one.gpus ?? NONE },
  { head: 'earliest start (UTC)', value: (one) => instant(one.earliestStart ?? null) },
  { head: 'score', align: 'right', value: (one) => one.score?.toFixed(2) ?? NONE },
  { head: 'why not', value: (one) => one.reasons.map((reason) => reason.detail).join('\n') },
]
