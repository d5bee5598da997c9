/** Clusters as people read them. */
import type { ClusterView } from '../../../shared/cluster.ts'
import { count, instant } from '../screen/words.ts'
import type { Text } from '../text/text.ts'
import { type Column, factsIn } from './listing.ts'

export const columnsAt = (nowMs: number): readonly Column<ClusterView>[] => [
  { head: 'cluster', value: (one) => one.id },
  { head: 'operator', value: (one) => one.providerId },
  { head: 'GPU', value: (one) => one.gpuModel },
  { head: 'cooling', value: (one) => one.cooling },
  { head: 'stage', value: (one, t) => phaseAt(one, nowMs)?.stage ?? t('planned') },
  { head: 'nodes', align: 'right', value: (one, t) => nodesText(one, nowMs, t) },
  { head: 'GPUs', align: 'right', value: (one) => count(one.gpus) },
  { head: 'FP8 in H200s', align: 'right', value: (one) => count(one.fp8H200Equivalent) },
  { head: 'reserved', align: 'right', value: (one) => one.now.nodesReserved },
  { head: 'active', align: 'right', value: (one) => one.now.nodesActive },
  { head: 'idle', align: 'right', value: (one) => one.now.nodesIdle },
  { head: 'remarks', value: (one, t) => remarksOn(one, t).join(', ') },
]

const phaseAt = ({ phases }: ClusterView, nowMs: number): ClusterView['phases'][number] | undefined =>
  phases.findLast((phase) => Date.parse(phase.from) <= nowMs)

/** `255 of 510`: in service, of all that is planned. */
function nodesText(cluster: ClusterView, nowMs: number, t: Text): string {
  const inService = phaseAt(cluster, nowMs)?.nodes ?? 0
  if (inService === cluster.nodes) return String(inService)
  return t('{part} of {whole}', { part: inService, whole: cluster.nodes })
}

function remarksOn({ suspended, placeable, share, now }: ClusterView, t: Text): string[] {
  return [
    ...(share === 'operator' ? [t('the operator’s own')] : []),
    ...(placeable ? [] : [t('not configured')]),
    ...(suspended ? [t('suspended')] : []),
    ...(now.nodesDrained > 0 ? [t('{count} drained', { count: now.nodesDrained })] : []),
    ...(now.nodesQuarantined > 0 ? [t('{count} in quarantine', { count: now.nodesQuarantined })] : []),
    ...(now.shortfall > 0 ? [t('{count} short', { count: now.shortfall })] : []),
  ]
}

export const clusterText = (one: ClusterView, t: Text): string =>
  factsIn(t, [
    ['cluster', one.id],
    ['operator', one.providerId],
    ['GPUs', `${count(one.gpus)} ${one.gpuModel} (${one.architecture})`],
    ['nodes', one.nodes],
    ['cooling', one.cooling],
    ['interconnect', one.interconnect],
    ['share', one.share],
    ['phases', one.phases.map(({ from, nodes, stage }) => `${instant(from)} UTC: ${nodes}, ${stage}`).join('\n')],
    ['images', one.images.join(', ')],
    ['remarks', remarksOn(one, t).join(', ') || null],
    ['ready', one.now.nodesReady],
    ['reserved', one.now.nodesReserved],
    ['active', one.now.nodesActive],
    ['drained', one.now.nodesDrained],
    ['in quarantine', one.now.nodesQuarantined],
    ['idle', one.now.nodesIdle],
    ['short', one.now.shortfall],
  ])
