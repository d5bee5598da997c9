/**
 * How much the API takes on at a time. What comes beyond is turned away first of all, before its token is looked at, so
 * that it costs next to nothing, and what was let in is answered in time however many ask. Reads, writes and what asks an
 * operator have a lane each, so that none waits for another's crowd. Health and metrics pass none.
 *
 * A request has a place in its lane while it is answered, not while it arrives: a body that trickles in, or a token that
 * the issuer must be asked about, keeps nobody else out. How many may be arriving is a bound of its own, and no client
 * has more than half of everything, however slowly it sends or reads.
 */
import type { Request, RequestHandler, Response } from 'express'
import { Refusal } from '../../shared/refusal.ts'
import { enterLane, isFull, type Lane, leaveLane, openLane, passBy, type Visit } from './lane.ts'
import { pathOf } from './query.ts'

export type LaneName = 'reads' | 'writes' | 'operators'

/** The way of one request through it. */
export interface Passage {
  /** Its caller is known. @throws Refusal `rate-limited` when he has as many others here as one may have */
  belongsTo(clientId: string): void
  /** All of it is there, and it is to be answered. @throws Refusal `unavailable` when its lane is full */
  enter(): void
  /** It is answered, though its reader may not have all of it yet. */
  leave(): void
  /**
   * It becomes a stream, which lasts for as long as its reader likes: how many there may be is a bound of its own.
   *
   * @throws Refusal `rate-limited` when its client has as many others as one may have
   */
  standAside(): void
}

export interface AdmissionOptions {
  /** Requests at a time; at least 2. */
  readonly maxInFlight: number
  readonly routes: readonly { readonly method: string; readonly path: string; readonly lane?: LaneName }[]
  /** Told of each that is turned away. */
  readonly onRejected: (reason: 'overload' | 'rate-limit') => void
  /** Answers what is turned away at once: the sooner and the less is done for it, the more is left for the others. */
  readonly turnAway: (refusal: Refusal, request: Request, response: Response) => void
}

/** Who keeps some thirty connections busy is never turned away for that alone. */
const FLOOR = 32
const CROWDED_FLOOR = 20
/** An operator may take long to answer, and more would only wait for the same rate. */
const OPERATORS = 8
const RETRY_AFTER_SECONDS = 1
/** Of one client, for each request that there may be at a time; they cost little while nothing happens. */
const STREAMS_PER_REQUEST = 4

interface Bounds {
  readonly maxArriving: number
  readonly maxOfOneClient: number
  readonly maxStreamsOfOneClient: number
  readonly onRejected: AdmissionOptions['onRejected']
}

/** Who is where just now. */
interface Crowd {
  arriving: number
  readonly ofClient: Map<string, number>
  readonly streamsOfClient: Map<string, number>
}

/** The first that a request meets; where it is from then on is asked with `passageOf`. */
export function admission({ maxInFlight, routes, onRejected, turnAway }: AdmissionOptions): RequestHandler {
  const half = Math.floor(maxInFlight / 2)
  const lanes = { reads: laneOf(half), writes: laneOf(half), operators: laneOf(Math.min(OPERATORS, half)) }
  const exceptions = new Map(routes.map(({ method, path, lane }) => [`${method.toUpperCase()} ${path}`, lane]))
  const crowd: Crowd = { arriving: 0, ofClient: new Map(), streamsOfClient: new Map() }
  const bounds: Bounds = {
    maxArriving: maxInFlight,
    maxOfOneClient: half,
    maxStreamsOfOneClient: STREAMS_PER_REQUEST * maxInFlight,
    onRejected,
  }
  return (request, response, next) => {
    const { method } = request
    const byMethod = method === 'GET' || method === 'HEAD' ? 'reads' : 'writes'
    const lane = lanes[exceptions.get(`${method} ${pathOf(request.originalUrl)}`) ?? byMethod]
    if (isFull(lane) || crowd.arriving >= bounds.maxArriving)
      return turnAway(overloaded(lane, bounds), request, response)
    response.locals[PASSAGE] = arrive(response, { lane, crowd, bounds })
    next()
  }
}

const laneOf = (max: number): Lane =>
  openLane({ floor: Math.min(FLOOR, max), crowdedFloor: Math.min(CROWDED_FLOOR, max), max })

/** One for all: a new error would look for its stack, which is most of what turning away costs. */
const OVERLOADED = new Refusal('unavailable', 'The broker has as much to answer as it can in time. Nothing was done.')

function overloaded(lane: Lane, { onRejected }: Bounds): Refusal {
  passBy(lane, performance.now())
  onRejected('overload')
  return OVERLOADED
}

const PASSAGE = 'passage'

/** Null where nothing is limited, as in tests of other things. */
export const passageOf = (response: Response): Passage | null =>
  (response.locals[PASSAGE] as Passage | undefined) ?? null

function arrive(
  response: Response,
  { lane, crowd, bounds }: { readonly lane: Lane; readonly crowd: Crowd; readonly bounds: Bounds },
): Passage {
  let isArriving = true
  let client: string | null = null
  let visit: Visit | null = null
  crowd.arriving += 1
  const arrived = (): void => {
    if (isArriving) crowd.arriving -= 1
    isArriving = false
  }
  const gone = (): void => {
    arrived()
    if (client !== null) forget(crowd.ofClient, client)
    client = null
  }
  response.once('close', gone)
  const count = (of: Map<string, number>, clientId: string, { max, what }: { max: number; what: string }): void => {
    const others = of.get(clientId) ?? 0
    if (others >= max) {
      bounds.onRejected('rate-limit')
      response.setHeader('Retry-After', RETRY_AFTER_SECONDS)
      throw new Refusal('rate-limited', `A client may have ${max} ${what} at a time.`)
    }
    of.set(clientId, others + 1)
  }
  return {
    belongsTo(clientId) {
      if (response.closed) return // gone while the token was looked at: nothing would tell when to stop counting it
      count(crowd.ofClient, clientId, { max: bounds.maxOfOneClient, what: 'requests' })
      client = clientId
    },
    standAside() {
      const reader = client
      if (reader !== null) {
        count(crowd.streamsOfClient, reader, { max: bounds.maxStreamsOfOneClient, what: 'streams' })
        response.once('close', () => forget(crowd.streamsOfClient, reader))
      }
      gone()
    },
    enter() {
      arrived()
      if (isFull(lane)) throw overloaded(lane, bounds)
      visit = enterLane(lane, performance.now())
    },
    leave() {
      if (visit !== null) leaveLane(lane, visit, performance.now())
      visit = null
    },
  }
}

function forget(ofClient: Map<string, number>, clientId: string): void {
  const left = (ofClient.get(clientId) ?? 1) - 1
  if (left === 0) ofClient.delete(clientId)
  else ofClient.set(clientId, left)
}
