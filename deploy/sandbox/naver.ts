/**
 * The simulated Naver Cloud: its gateway (route, signature, permission, form) in front of the services vserver and vpc.
 * Every action answers GET and POST alike, changes included, as the operator's own does.
 */
import type { Operator, OperatorContext, OperatorSetup, SandboxRequest, SandboxResponse } from './harness.ts'
import { VIEWER } from './naver-catalogue.ts'
import { diskActions } from './naver-disks.ts'
import { GATEWAY, GatewayRefused, ServiceRefusal, invalidParameter } from './naver-errors.ts'
import { fabricActions } from './naver-fabric.ts'
import { groupActions } from './naver-groups.ts'
import { interfaceActions } from './naver-interfaces.ts'
import { keyActions, seedKey } from './naver-keys.ts'
import { catalogueActions, networkActions } from './naver-lists.ts'
import { formatOf, parameters, readForm } from './naver-parameters.ts'
import type { Parameters } from './naver-parameters.ts'
import { publicIpActions } from './naver-public-ips.ts'
import { scriptActions } from './naver-scripts.ts'
import { serverActions } from './naver-servers.ts'
import { authenticate } from './naver-signature.ts'
import { gatewayError, serviceError, success } from './naver-wire.ts'
import type { Format } from './naver-wire.ts'
import { openWorld } from './naver-world.ts'
import type { Action, Actions } from './naver-world.ts'
import { NAVER } from './settings.ts'

const SECRETS: ReadonlyMap<string, string> = new Map([
  [NAVER.accessKey, NAVER.secretKey],
  [VIEWER.accessKey, VIEWER.secretKey],
])

/** Room for a percent-encoded init script of the greatest length, and what comes with it. */
const MAX_FORM_BYTES = 3_500_000

export const naver: OperatorSetup = { name: 'naver', create }

function create(context: OperatorContext): Operator {
  const world = openWorld(context)
  seedKey(world)
  const services: Readonly<Record<string, ReadonlyMap<string, Action>>> = {
    vserver: table(
      serverActions(world),
      fabricActions(world),
      publicIpActions(world),
      interfaceActions(world),
      diskActions(world),
      scriptActions(world),
      keyActions(world),
      groupActions(world),
      catalogueActions,
    ),
    vpc: table(networkActions),
  }
  return {
    handle: (request) => stamped(context, answer(request, { services, nowMs: context.now() })),
    throttled(request) {
      const format = formatOf(readForm(request) ?? parameters(new Map(request.query)))
      return stamped(context, gatewayError(GATEWAY.rateLimited, 'Too many requests.', format))
    },
    reset: () => seedKey(world),
    breakNode(id) {
      const server = world.servers.get(id)
      if (server === undefined) return false
      world.servers.set(id, { ...server, phase: { asked: 'failing-build', sinceMs: server.phase.sinceMs, tookMs: 0 } })
      return true
    },
  }
}

const table = (...parts: readonly Actions[]): ReadonlyMap<string, Action> =>
  new Map(parts.flatMap((part) => Object.entries(part)))

/** Clients set their clocks by it, so it must follow a shifted one. */
const stamped = (context: OperatorContext, response: SandboxResponse): SandboxResponse => ({
  ...response,
  headers: { ...response.headers, date: new Date(context.now()).toUTCString() },
})

interface Gateway {
  readonly services: Readonly<Record<string, ReadonlyMap<string, Action>>>
  readonly nowMs: number
}

function answer(request: SandboxRequest, gateway: Gateway): SandboxResponse {
  const form = readForm(request)
  const format = formatOf(form ?? parameters(new Map(request.query)))
  try {
    const { name, action } = route(request, gateway)
    admit(request, name, gateway)
    if (request.body.length > MAX_FORM_BYTES) throw new GatewayRefused(GATEWAY.entityTooLarge)
    if (form === null)
      throw new GatewayRefused(GATEWAY.badRequest, 'The body must be application/x-www-form-urlencoded.')
    mustBeRegion(form)
    return success(name, action(form), format)
  } catch (error) {
    return refused(error, format)
  }
}

function refused(error: unknown, format: Format): SandboxResponse {
  if (error instanceof ServiceRefusal) return serviceError(error, format)
  if (error instanceof GatewayRefused) return gatewayError(error.refusal, error.message, format)
  console.error('sandbox naver: unexpected', error)
  return gatewayError(GATEWAY.unexpected, '', format)
}

const PATH = /^\/(vserver|vpc)\/v2\/([A-Za-z]+)$/

function route(
  { method, path }: SandboxRequest,
  { services }: Gateway,
): { readonly name: string; readonly action: Action } {
  const [, service = '', name = ''] = PATH.exec(path) ?? []
  const action = services[service]?.get(name)
  if (action === undefined || (method !== 'GET' && method !== 'POST')) {
    throw new GatewayRefused(GATEWAY.notFound, 'URL not found.')
  }
  return { name, action }
}

/** @throws GatewayRefused 401/200 for a bad signature, 401/210 where the account may not */
function admit(request: SandboxRequest, name: string, { nowMs }: Gateway): void {
  const accessKey = authenticate(request, { secretOf: (key) => SECRETS.get(key) ?? null, nowMs })
  if (accessKey === null) throw new GatewayRefused(GATEWAY.authenticationFailed, 'Invalid authentication information.')
  if (accessKey === VIEWER.accessKey && !name.startsWith('get')) throw new GatewayRefused(GATEWAY.permissionDenied)
}

function mustBeRegion(given: Parameters): void {
  const regionCode = given.text('regionCode')
  if (regionCode !== null && regionCode !== NAVER.regionCode) throw invalidParameter('regionCode', 'is not a region.')
}
