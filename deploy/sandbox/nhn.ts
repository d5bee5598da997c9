/**
 * NHN Cloud, simulated: identity (Keystone v2), compute (Nova v2), image (Glance v2), network and block storage, each
 * under a path prefix of one port. Here is only which service a request is for, and what each says before and beside its
 * own calls; nhn-*.ts hold the services.
 */
import type { Operator, OperatorContext, OperatorSetup, SandboxRequest, SandboxResponse } from './harness.ts'
import { catalogueRoutes } from './nhn-catalogue.ts'
import { identityRoutes, requireToken } from './nhn-identity.ts'
import { imageRoutes } from './nhn-image.ts'
import { networkRoutes } from './nhn-network.ts'
import { furnish, openWorld } from './nhn-records.ts'
import type { NhnWorld } from './nhn-records.ts'
import { serverGroupRoutes } from './nhn-server-groups.ts'
import { serverRoutes } from './nhn-servers.ts'
import { versionsOf } from './nhn-versions.ts'
import { volumeRoutes } from './nhn-volume.ts'
import { dispatch, fault, keystoneError, neutronError, NhnRefusal } from './nhn-wire.ts'
import type { Route } from './nhn-wire.ts'
import { NHN } from './settings.ts'

interface Service {
  readonly prefix: string
  readonly routes: readonly Route[]
  /** Whether the path goes on with `/v2/{tenantId}`. */
  readonly ofTenant: boolean
  readonly open: boolean
  readonly unknown: () => SandboxResponse
}

export const nhn: OperatorSetup = { name: 'nhn', create: createNhn }

function createNhn(context: OperatorContext): Operator {
  const world = openWorld(context)
  const services = servicesOf(world)
  furnish(world)
  return {
    handle(request) {
      const service = services.find(({ prefix }) => request.path === prefix || request.path.startsWith(`${prefix}/`))
      if (service === undefined) return versionsOf(request) ?? fault(404, 'The resource could not be found.')
      try {
        return answerOf(world, service, request)
      } catch (error) {
        if (error instanceof NhnRefusal) return error.response
        throw error
      }
    },
    throttled: () => fault(429, 'This request was rate-limited.', '1'),
    reset: () => furnish(world),
    breakNode(id) {
      const server = world.servers.get(id)
      if (server === undefined) return false
      world.servers.set(id, {
        ...server,
        failure: { atMs: world.now(), message: 'The host of the server has failed.' },
      })
      return true
    },
  }
}

function servicesOf(world: NhnWorld): readonly Service[] {
  const nova = { ofTenant: true, open: false, unknown: () => fault(404, 'The resource could not be found.') }
  return [
    {
      prefix: '/identity',
      routes: identityRoutes(world),
      ofTenant: false,
      open: true,
      unknown: () => keystoneError(404, 'Not Found', 'The resource could not be found.'),
    },
    {
      ...nova,
      prefix: '/compute',
      routes: [...serverRoutes(world), ...serverGroupRoutes(world), ...catalogueRoutes(world)],
    },
    { ...nova, prefix: '/volume', routes: volumeRoutes(world) },
    { ...nova, prefix: '/image', routes: imageRoutes(), ofTenant: false },
    {
      prefix: '/network',
      routes: networkRoutes(world),
      ofTenant: false,
      open: false,
      unknown: () => neutronError(404, 'HTTPNotFound', 'The resource could not be found.'),
    },
  ]
}

function answerOf(world: NhnWorld, service: Service, request: SandboxRequest): SandboxResponse {
  const versions = versionsOf(request)
  if (versions !== null) return versions
  if (!service.open) requireToken(world, request)
  const rest = request.path.slice(service.prefix.length)
  if (!service.ofTenant) return dispatch(service.routes, rest, request) ?? service.unknown()
  const tenant = /^\/v2\/([^/]+)(\/.*)?$/.exec(rest)
  if (tenant === null) return service.unknown()
  const [, tenantId, path = '/'] = tenant
  if (tenantId !== NHN.tenantId) {
    return fault(
      400,
      `Malformed request URL: URL's project_id '${tenantId}' doesn't match Context's project_id '${NHN.tenantId}'`,
    )
  }
  return dispatch(service.routes, path, request) ?? service.unknown()
}
