/** `clusters`: what there is, and how much of it is taken now. */
import type { Command } from 'commander'
import type { ClusterView } from '../../../shared/cluster.ts'
import { collect } from '../../client/collect.ts'
import type { Column } from '../screen/table.ts'
import { count } from '../screen/words.ts'
import type { Run } from './command-context.ts'

export const describeClusters = (command: Command): Command =>
  command
    .description('list the clusters: what they are, what is in service, what is taken')
    .option('--all', 'also those where nothing can be placed')

export const clusters: Run<{ readonly all?: boolean }> = async ({ client, options, io, answerList }) => {
  const all = await collect(client.listClusters())
  const shown = options.all === true || options.json === true ? all : all.filter((one) => one.placeable)
  answerList(shown, columnsAt(io.now()), 'No clusters.')
  return undefined
}

const columnsAt = (nowMs: number): readonly Column<ClusterView>[] => [
  { head: 'cluster', value: (one) => one.id },
  { head: 'operator', value: (one) => one.providerId },
  { head: 'GPU', value: (one) => one.gpuModel },
  { head: 'cooling', value: (one) => one.cooling },
  { head: 'stage', value: (one) => phaseAt(one, nowMs)?.stage ?? 'planned' },
  { head: 'nodes', align: 'right', value: (one) => nodesText(one, nowMs) },
  { head: 'GPUs', align: 'right', value: (one) => count(one.gpus) },
  { head: 'FP8 in H200s', align: 'right', value: (one) => count(one.fp8H200Equivalent) },
  { head: 'reserved', align: 'right', value: (one) => one.now.nodesReserved },
  { head: 'active', align: 'right', value: (one) => one.now.nodesActive },
  { head: 'idle', align: 'right', value: (one) => one.now.nodesIdle },
  { head: 'remarks', value: (one) => remarksOn(one).join(', ') },
]

const phaseAt = ({ phases }: ClusterView, nowMs: number): ClusterView['phases'][number] | undefined =>
  phases.findLast((phase) => Date.parse(phase.from) <= nowMs)

/** `255 of 510`: in service, of all that is planned. */
function nodesText(cluster: ClusterView, nowMs: number): string {
  const inService = phaseAt(cluster, nowMs)?.nodes ?? 0
  return inService === cluster.nodes ? String(inService) : `${inService} of ${cluster.nodes}`
}

function remarksOn({ suspended, placeable, share, now }: ClusterView): string[] {
  const figures: readonly (readonly [number, string])[] = [
    [now.nodesDrained, 'drained'],
    [now.nodesQuarantined, 'in quarantine'],
    [now.shortfall, 'short'],
  ]
  return [
    ...(share === 'operator' ? ['the operator’s own'] : []),
    ...(placeable ? [] : ['not configured']),
    ...(suspended ? ['suspended'] : []),
    ...figures.filter(([nodes]) => nodes > 0).map(([nodes, what]) => `${nodes} ${what}`),
  ]
}
