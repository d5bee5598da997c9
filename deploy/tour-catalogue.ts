/** The chapters that change nothing: what there is, what can never be, and what a demand in compute comes to. */
import type { ClusterView } from '../shared/cluster.ts'
import type { Candidate, PlacementPreview } from '../shared/decision.ts'
import { table } from '../broker/cli/screen/table.ts'
import { count, instant } from '../broker/cli/screen/words.ts'
import { collect } from '../broker/client/collect.ts'
import { ProblemError } from '../broker/client/problem-error.ts'
import type { Tour } from './tour-context.ts'
import { type Asker, LARGE_CLUSTER_NODES, STARTUP_FP8, TOO_MANY_NODES } from './tour-cast.ts'

/** The programme as it was announced. */
const ANNOUNCED = { gpusSecured: 13_136, governmentGpus: 10_456, governmentNodes: 1_307, governmentClusters: 5 }
/** FP8 compute of a node of 8 GPUs, in H200s. */
const FP8_PER_NODE: Readonly<Record<string, number>> = { blackwell: 8 * 2.25, hopper: 8 }

/** @returns how many nodes of the largest cluster are in service now */
export async function showClusters({
  client,
  terminal,
  now,
  claim,
}: Tour): Promise<{ readonly nodesInService: number }> {
  const all = await collect(client.listClusters())
  const government = all.filter((one) => one.share === 'government')
  terminal.write(indented(clusterTable(government, now())))
  const [nodes, gpus] = [sum(government, (one) => one.nodes), sum(government, (one) => one.gpus)]
  claim(
    `Three operators hold ${count(ANNOUNCED.gpusSecured)} GPUs; ${count(ANNOUNCED.governmentGpus)} of them, ${count(ANNOUNCED.governmentNodes)} nodes in ${ANNOUNCED.governmentClusters} clusters, are for government use.`,
    sum(all, (one) => one.gpus) === ANNOUNCED.gpusSecured &&
      gpus === ANNOUNCED.governmentGpus &&
      nodes === ANNOUNCED.governmentNodes &&
      government.length === ANNOUNCED.governmentClusters &&
      new Set(all.map((one) => one.providerId)).size === 3,
    { gpus, nodes, clusters: government.length },
  )
  const large = government.find((one) => one.nodes === LARGE_CLUSTER_NODES)
  return { nodesInService: large === undefined ? 0 : inService(large, now()) }
}

const clusterTable = (clusters: readonly ClusterView[], nowMs: number): string =>
  table(
    [
      { head: 'cluster', value: (one) => one.id },
      { head: 'GPU', value: (one) => one.gpuModel },
      { head: 'cooling', value: (one) => one.cooling },
      { head: 'nodes', align: 'right', value: (one) => one.nodes },
      { head: 'in service', align: 'right', value: (one) => inService(one, nowMs) },
      { head: 'idle now', align: 'right', value: (one) => one.now.nodesIdle },
      { head: 'GPUs', align: 'right', value: (one) => count(one.gpus) },
      { head: 'FP8 in H200s', align: 'right', value: (one) => count(one.fp8H200Equivalent) },
      { head: 'next phase (UTC)', value: (one) => nextPhase(one, nowMs) },
    ],
    clusters,
  )

const inService = ({ phases }: ClusterView, nowMs: number): number =>
  phases.findLast((phase) => Date.parse(phase.from) <= nowMs)?.nodes ?? 0

function nextPhase({ phases }: ClusterView, nowMs: number): string {
  const next = phases.find((phase) => Date.parse(phase.from) > nowMs)
  return next === undefined ? '' : `${next.nodes} nodes from ${instant(next.from)}`
}

export async function showRefusal({ client, claim, say, signal }: Tour, { request }: Asker): Promise<void> {
  const refusal = await client.createAllocation(request, { signal }).then(
    (taken) => taken,
    (error: unknown) => error,
  )
  if (!(refusal instanceof ProblemError)) {
    if (refusal instanceof Error) throw refusal
    claim(`${TOO_MANY_NODES} nodes in one cluster are refused.`, false, refusal)
    return
  }
  const candidates = candidatesOf(refusal)
  say(refusal.detail)
  const reasons = candidates.flatMap(({ reasons }) => reasons.filter(({ rule }) => rule === 'cluster-size'))
  for (const reason of reasons) say(`  ${reason.detail}`)
  claim(
    `${TOO_MANY_NODES} nodes in one cluster are refused (${refusal.code}, ${refusal.status}), with the reason for every cluster.`,
    refusal.code === 'unsatisfiable' && candidates.length > 0 && candidates.every(({ reasons }) => reasons.length > 0),
    refusal.problem,
  )
}

function candidatesOf({ problem }: ProblemError): readonly Pick<Candidate, 'clusterId' | 'reasons'>[] {
  const { candidates } = problem as { candidates?: readonly Pick<Candidate, 'clusterId' | 'reasons'>[] } // the contract's
  return candidates ?? []
}

export async function showCompute(
  { client, terminal, claim, signal }: Tour,
  { request }: Asker,
): Promise<PlacementPreview> {
  const { demand, period, prefers } = request
  const wanted = prefers === undefined ? { demand, period } : { demand, period, prefers }
  const preview = await client.previewPlacement(wanted, { signal })
  const architectures = new Map((await collect(client.listClusters())).map((one) => [one.id, one.architecture]))
  const shown = preview.candidates.filter(({ reasons }) => reasons.every(({ rule }) => rule !== 'share'))
  terminal.write(indented(candidateTable(shown)))
  const wrong = shown.filter(({ clusterId, nodes }) => {
    const perNode = FP8_PER_NODE[architectures.get(clusterId) ?? '']
    return perNode === undefined || nodes !== Math.ceil(STARTUP_FP8 / perNode)
  })
  claim(
    `${STARTUP_FP8} H200s' worth of FP8 compute are 32 Blackwell nodes or 72 Hopper nodes; the best place is ${preview.best}.`,
    wrong.length === 0 && shown.length === ANNOUNCED.governmentClusters && preview.best !== null,
    wrong,
  )
  return preview
}

const candidateTable = (candidates: readonly Candidate[]): string =>
  table(
    [
      { head: 'cluster', value: (one) => one.clusterId },
      { head: 'nodes', align: 'right', value: (one) => one.nodes },
      { head: 'GPUs', align: 'right', value: (one) => one.gpus },
      { head: 'score', align: 'right', value: (one) => one.score?.toFixed(2) ?? '' },
      { head: 'why not', value: (one) => one.reasons.map(({ detail }) => detail).join('\n') },
    ],
    candidates,
  )

const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0)

export const indented = (text: string): string => text.replaceAll(/^(?=.)/gm, '  ')
