/**
 * Which clusters a request may lie in at all: one small function per rule of facts, each null or the reason with its
 * figures. What depends on time (free nodes, validity, horizon, circuits) is in `timely.ts`.
 */
import type { Reason, RuleName } from '../../../shared/decision.ts'
import { type EpochMs, toIso } from '../../../shared/time.ts'
import type { Calendar } from '../calendar.ts'
import { isSuspended } from '../calendar-reads.ts'
import { nodesFor, type Cluster } from '../cluster.ts'
import { nodesText } from '../words.ts'
import { durationOf, keptArchitectureOf, type PlacementRequest } from './request.ts'
import { stageOpensAt } from './window.ts'

/** One request at one cluster. */
export interface Question {
  readonly cluster: Cluster
  readonly request: PlacementRequest
  /** What the demand comes to in nodes of this cluster. */
  readonly nodes: number
  /** The first start that is tried. */
  readonly from: EpochMs
}

type Rule = (question: Question) => Reason | null

type Figure = Reason['wanted']

export const questionOf = (cluster: Cluster, request: PlacementRequest, from: EpochMs): Question => ({
  cluster,
  request,
  nodes: nodesFor(cluster, request.demand),
  from,
})

/** Null when the cluster's fact is one of those required, or nothing is required. */
function oneOf(rule: RuleName, required: readonly string[] | undefined, fact: string, detail: string): Reason | null {
  if (required === undefined || required.includes(fact)) return null
  return {
    rule,
    wanted: [...required],
    found: fact,
    detail: `${detail}, not ${required.join(' or ') || 'anything else'}.`,
  }
}

const share: Rule = ({ cluster, request }) =>
  oneOf('share', request.requires.shares, cluster.share, `${cluster.id} is of the ${cluster.share} share`)

const stage: Rule = ({ cluster, request, from }) => {
  const { stages } = request.requires
  if (stages === undefined || stageOpensAt(cluster, stages, from) !== null) return null
  const found = [...new Set(cluster.phases.map((phase) => phase.stage))]
  const detail = `No phase of ${cluster.id} from ${toIso(from)} on is of stage ${stages.join(' or ')}.`
  return { rule: 'stage', wanted: [...stages], found, detail }
}

const provider: Rule = ({ cluster, request }) =>
  oneOf('provider', request.requires.providers, cluster.providerId, `${cluster.id} is run by ${cluster.providerId}`)

const mapped: Rule = ({ cluster }) =>
  cluster.mapped
    ? null
    : {
        rule: 'provider',
        wanted: 'configured',
        found: 'not configured',
        detail: `The configuration of ${cluster.providerId} does not map ${cluster.id}.`,
      }

const architecture: Rule = ({ cluster, request }) =>
  oneOf(
    'architecture',
    request.requires.architectures,
    cluster.architecture,
    `${cluster.id} is ${cluster.architecture}`,
  )

const keptArchitecture: Rule = ({ cluster, request }) => {
  const kept = keptArchitectureOf(request)
  if (kept === null || kept === cluster.architecture) return null
  const detail = `${cluster.id} is ${cluster.architecture}: what was given ${kept} moves to another architecture only where it prefers one.`
  return { rule: 'architecture', wanted: [kept], found: cluster.architecture, detail }
}

const approvedArchitecture: Rule = ({ cluster, request }) => {
  const approved = request.approval?.architectures
  if (approved === undefined || approved.includes(cluster.architecture)) return null
  const detail = `The approval covers ${approved.join(', ')}, and ${cluster.id} is ${cluster.architecture}.`
  return { rule: 'architecture', wanted: [...approved], found: cluster.architecture, detail }
}

const gpuModel: Rule = ({ cluster, request }) =>
  oneOf('gpu-model', request.requires.gpuModels, cluster.gpuModel, `${cluster.id} has ${cluster.gpuModel}`)

const cooling: Rule = ({ cluster, request }) =>
  oneOf('cooling', request.requires.cooling, cluster.cooling, `The cooling of ${cluster.id} is ${cluster.cooling}`)

const demandFits: Rule = ({ cluster, nodes }) =>
  nodes <= cluster.nodes
    ? null
    : tooSmall(cluster, nodes, `${nodesText(nodes)} would be more than all ${cluster.nodes} of ${cluster.id}.`)

const minClusterNodes: Rule = ({ cluster, request }) => {
  const wanted = request.requires.minClusterNodes
  if (wanted === undefined || wanted <= cluster.nodes) return null
  return tooSmall(cluster, wanted, `${cluster.id} has ${nodesText(cluster.nodes)}, fewer than the ${wanted} required.`)
}

const tooSmall = (cluster: Cluster, wanted: Figure, detail: string): Reason => ({
  rule: 'cluster-size',
  wanted,
  found: cluster.nodes,
  detail,
})

const image: Rule = ({ cluster, request }) => {
  if (request.image === null || cluster.images.includes(request.image)) return null
  const detail = `${cluster.id} has no image ${request.image}; it has ${cluster.images.join(', ') || 'none'}.`
  return { rule: 'image', wanted: request.image, found: [...cluster.images], detail }
}

const approvedNodes: Rule = ({ cluster, request, nodes }) => {
  const { approval } = request
  if (approval === null || nodes <= approval.maxNodes) return null
  const detail = `${nodesText(nodes)} of ${cluster.id} would be more than the ${approval.maxNodes} at once of the approval.`
  return { rule: 'approval-window', wanted: nodes, found: approval.maxNodes, detail }
}

const MS_PER_GPU_HOUR = 3_600_000

const approvedTime: Rule = ({ cluster, request, nodes }) => {
  const { approval } = request
  const wantedMs = nodes * cluster.gpusPerNode * durationOf(request.period)
  if (approval === null || wantedMs <= approval.gpuMsLeft) return null
  const wanted = wantedMs / MS_PER_GPU_HOUR
  const found = approval.gpuMsLeft / MS_PER_GPU_HOUR
  const detail = `${nodesText(nodes)} of ${cluster.id} would take ${wanted} GPU-hours, and the approval has ${found} left.`
  return { rule: 'approval-window', wanted, found, detail }
}

/** In the order in which reasons are shown. */
const RULES: readonly Rule[] = [
  share,
  stage,
  provider,
  mapped,
  architecture,
  keptArchitecture,
  approvedArchitecture,
  gpuModel,
  cooling,
  demandFits,
  minClusterNodes,
  image,
  approvedNodes,
  approvedTime,
]

/** Every rule of facts that speaks against the cluster; empty when none does. */
export function reasonsOfFact(question: Question): Reason[] {
  const reasons: Reason[] = []
  for (const rule of RULES) {
    const reason = rule(question)
    if (reason !== null) reasons.push(reason)
  }
  return reasons
}

/** The same as a yes or no, for re-plans that ask it thousands of times. */
export const factsAllow = (question: Question): boolean => RULES.every((rule) => rule(question) === null)

/** The one rule that is a switch: no new placements while the cluster or its provider is suspended. */
export function suspended(calendar: Calendar, cluster: Cluster): Reason | null {
  if (!isSuspended(calendar, cluster)) return null
  const what = calendar.suspendedClusters.has(cluster.id) ? cluster.id : `Provider ${cluster.providerId}`
  return {
    rule: 'suspended',
    wanted: 'in service',
    found: 'suspended',
    detail: `${what} is suspended: nothing new is placed there.`,
  }
}
