/** Why somebody waits, in one line: what is asked, and what it waits for. */
import { type EpochMs, toIso } from '../../shared/time.ts'
import { stateOf, type Calendar } from './calendar.ts'
import { nodesText } from './words.ts'
import type { Candidate, Place } from './placement/candidate.ts'
import { questionOf } from './placement/feasible.ts'
import { placeAgain } from './placement/place.ts'
import type { Policy } from './placement/policy.ts'
import { avoidanceOf, avoidanceText, type PlacementRequest } from './placement/request.ts'
import { reasonsOfTime } from './placement/timely.ts'
import { windowOfWait } from './placement/window.ts'

export interface Waiting {
  readonly request: PlacementRequest
  /** The present plan; null where there is none. */
  readonly place: Place | null
}

/**
 * `255 nodes of blackwell, liquid: nhn-b200-510 is full until 2027-02-01 09:00` (UTC), or what else stands in the way.
 * The reservation that is asked about must not be on the calendar, or it is found to be in its own way.
 */
export function waitingReason(calendar: Calendar, { request, place }: Waiting, now: EpochMs, policy: Policy): string {
  if (place !== null) return `${askedText(request, place.nodes)}: ${untilPlace(calendar, request, place, now)}`
  const candidate = closest(placeAgain(calendar, request, now, policy).candidates)
  if (candidate === null) return 'No cluster is listed.'
  return `${askedText(request, candidate.nodes)}: ${candidate.reasons.map((reason) => reason.detail).join(' ')}`
}

function untilPlace(calendar: Calendar, request: PlacementRequest, place: Place, now: EpochMs): string {
  const state = stateOf(calendar, place.clusterId)
  const window = windowOfWait(request.period, now)
  const question = questionOf(state.cluster, request, window.from)
  const avoided = avoidanceOf(request, place.clusterId, window.from)
  if (avoided !== null) {
    return `${place.clusterId} ${avoidanceText(avoided)}, and is not asked again before ${minuteText(avoided.until)}`
  }
  const [first] = reasonsOfTime({ calendar, state, question, window, now, place })
  if (first !== undefined && (first.rule !== 'free-nodes' || first.found === null)) return first.detail
  return `${place.clusterId} is full until ${minuteText(place.start)}`
}

/** `2027-02-01 09:00`, in UTC. */
const minuteText = (at: EpochMs): string => toIso(at).slice(0, 16).replace('T', ' ')

function askedText({ requires }: PlacementRequest, nodes: number): string {
  const wishes = [
    requires.architectures?.join(' or '),
    requires.gpuModels?.join(' or '),
    requires.cooling?.join(' or '),
    requires.providers?.join(' or '),
    requires.minClusterNodes === undefined ? undefined : `a cluster of ${requires.minClusterNodes} or more`,
  ].filter((wish) => wish !== undefined)
  return `${nodesText(nodes)}${wishes.length === 0 ? '' : ` of ${wishes.join(', ')}`}`
}

/** Rules of a moment: a cluster that only they speak against is the one that is waited for. */
const PASSING: ReadonlySet<string> = new Set(['suspended', 'free-nodes', 'circuit-open', 'approval-window', 'horizon'])

/** The candidate with the fewest lasting reasons against it, then the fewest at all, then by id. */
function closest(candidates: readonly Candidate[]): Candidate | null {
  const lasting = ({ reasons }: Candidate): number => reasons.filter((reason) => !PASSING.has(reason.rule)).length
  const [first] = candidates.toSorted((a, b) => lasting(a) - lasting(b) || a.reasons.length - b.reasons.length)
  return first ?? null
}
