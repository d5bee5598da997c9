/** NHN's network service: VPCs and their subnets in its own spelling; ports, floating IPs, security groups in Neutron's. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { SandboxRequest, SandboxResponse } from './harness.ts'
import { nextAddress, NETWORKS } from './nhn-records.ts'
import type { FloatingIpRecord, Network, Nic, NhnWorld, PortRecord } from './nhn-records.ts'
import { isGone } from './nhn-server-state.ts'
import { answer, neutronError, NhnRefusal, route } from './nhn-wire.ts'
import type { Route } from './nhn-wire.ts'
import { NHN } from './settings.ts'

const EXTERNAL_NETWORK_ID = '4e000000-0000-4000-8000-0000000000ff'
const SECURITY_GROUP_ID = '5c000000-0000-4000-8000-000000000001'

const NewPort = z.object({
  port: z.object({ network_id: z.string(), name: z.string().default(''), description: z.string().default('') }),
})
const NewFloatingIp = z.object({
  floatingip: z.object({
    floating_network_id: z.string(),
    port_id: z.string().nullable().default(null),
    description: z.string().default(''),
  }),
})
const FloatingIpChange = z.object({ floatingip: z.object({ port_id: z.string().nullable() }) })

export const networkRoutes = (world: NhnWorld): readonly Route[] => [
  ...collection('vpcs', 'vpc', () => NETWORKS.map(vpc)),
  ...collection('vpcsubnets', 'vpcsubnet', () => NETWORKS.map(subnet)),
  ...collection('networks', 'network', () => [
    ...NETWORKS.map(({ id, name }) => ({ id, name, status: 'ACTIVE', 'router:external': false })),
    { id: EXTERNAL_NETWORK_ID, name: 'Public Network', status: 'ACTIVE', 'router:external': true },
  ]),
  ...collection('security-groups', 'security_group', () => [
    {
      id: SECURITY_GROUP_ID,
      name: NHN.securityGroup,
      description: 'Default',
      tenant_id: NHN.tenantId,
      security_group_rules: [],
    },
  ]),
  ...collection('ports', 'port', () => allPorts(world)),
  route('POST', '/v2.0/ports', (request) => createPort(world, request)),
  route('DELETE', '/v2.0/ports/:id', (_request, parameter) => deletePort(world, parameter('id'))),
  ...collection('floatingips', 'floatingip', () => world.floatingIps.values().map((ip) => floatingIp(world, ip))),
  route('POST', '/v2.0/floatingips', (request) => createFloatingIp(world, request)),
  route('PUT', '/v2.0/floatingips/:id', (request, parameter) => {
    const { port_id: portId } = neutronBody(request, FloatingIpChange).floatingip
    const found = world.floatingIps.get(parameter('id'))
    if (found === undefined) return notFound('FloatingIP', parameter('id'))
    const changed = { ...found, portId: portId === null ? null : knownPort(world, portId) }
    world.floatingIps.set(found.id, changed)
    return answer(200, { floatingip: floatingIp(world, changed) })
  }),
  route('DELETE', '/v2.0/floatingips/:id', (_request, parameter) => {
    if (!world.floatingIps.has(parameter('id'))) return notFound('FloatingIP', parameter('id'))
    world.floatingIps.delete(parameter('id'))
    world.ledger.gone('public-ip', parameter('id'), world.now())
    return answer(204)
  }),
]

type Item = Readonly<Record<string, unknown>> & { readonly id: string }

/** List and detail of one kind; a list is filtered by equality of any member, as Neutron does. */
const collection = (plural: string, singular: string, items: () => readonly Item[]): readonly Route[] => [
  route('GET', `/v2.0/${plural}`, ({ query }) => {
    const wanted = [...query].filter(([key]) => !['limit', 'marker', 'fields'].includes(key))
    const matches = (item: Item): boolean =>
      wanted.every(([key, value]) => String(item[key]).toLowerCase() === value.toLowerCase())
    return answer(200, { [plural.replace('-', '_')]: items().filter(matches) })
  }),
  route('GET', `/v2.0/${plural}/:id`, (_request, parameter) => {
    const found = items().find(({ id }) => id === parameter('id'))
    return found === undefined ? notFound(singular, parameter('id')) : answer(200, { [singular]: found })
  }),
]

const notFound = (kind: string, id: string): SandboxResponse =>
  neutronError(404, `${kind}NotFound`, `${kind} ${id} could not be found.`)

const vpc = ({ id, name, cidr, subnetId }: Network): Item => ({
  id,
  name,
  state: 'available',
  cidrv4: cidr,
  shared: false,
  'router:external': false,
  tenant_id: NHN.tenantId,
  subnets: [subnetId],
  routingtables: [],
})

const subnet = ({ subnetId, name, id, cidr, firstOctets }: Network): Item => ({
  id: subnetId,
  name: `${name}-subnet`,
  vpc_id: id,
  cidr,
  gateway: `${firstOctets.join('.')}.0.1`,
  available_ip_count: 1_048_000,
  state: 'available',
  tenant_id: NHN.tenantId,
})

/** Ports made through the API, and those that servers brought along. */
function allPorts(world: NhnWorld): Item[] {
  const nowMs = world.now()
  const nics = world.servers
    .values()
    .flatMap((server) => (isGone(server, nowMs) ? [] : server.nics.map((nic) => ({ nic, server }))))
  const used = new Map(nics.map(({ nic, server }) => [nic.portId, server.id]))
  const own = nics.filter(({ nic }) => nic.ownedByServer).map(({ nic, server }) => portItem(nic.portId, nic, server.id))
  return [...own, ...world.ports.values().map((port) => portItem(port.id, port, used.get(port.id) ?? ''))]
}

const portItem = (id: string, port: PortRecord | Nic, deviceId: string): Item => ({
  id,
  name: 'name' in port ? port.name : '',
  description: 'description' in port ? port.description : '',
  network_id: port.networkId,
  mac_address: port.mac,
  fixed_ips: [{ subnet_id: port.subnetId, ip_address: port.address }],
  device_id: deviceId,
  device_owner: deviceId === '' ? '' : 'compute:nova',
  status: deviceId === '' ? 'DOWN' : 'ACTIVE',
  tenant_id: NHN.tenantId,
})

function createPort(world: NhnWorld, request: SandboxRequest): SandboxResponse {
  const { network_id: networkId, name, description } = neutronBody(request, NewPort).port
  const network = NETWORKS.find(({ id }) => id === networkId)
  if (network === undefined) return notFound('Network', networkId)
  const port = {
    id: randomUUID(),
    name,
    description,
    networkId,
    subnetId: network.subnetId,
    ...nextAddress(world, network),
  }
  world.ports.set(port.id, port)
  world.ledger.made({ kind: 'port', id: port.id, name, atMs: world.now() })
  return answer(201, { port: portItem(port.id, port, '') })
}

function deletePort(world: NhnWorld, id: string): SandboxResponse {
  const port = allPorts(world).find((item) => item.id === id)
  if (port === undefined) return notFound('Port', id)
  if (port['device_id'] !== '')
    return neutronError(
      409,
      'PortInUse',
      `Unable to complete operation on port ${id}: it is in use by ${String(port['device_id'])}.`,
    )
  world.ports.delete(id)
  world.ledger.gone('port', id, world.now())
  return answer(204)
}

/** A floating IP outlives the server that it stood on, and then stands on nothing. */
function floatingIp(world: NhnWorld, { id, address, portId, description }: FloatingIpRecord): Item {
  const port = portId === null ? undefined : allPorts(world).find((item) => item.id === portId)
  return {
    id,
    floating_ip_address: address,
    floating_network_id: EXTERNAL_NETWORK_ID,
    fixed_ip_address: (port?.['fixed_ips'] as { ip_address: string }[] | undefined)?.[0]?.ip_address ?? null, // as portItem makes it
    port_id: port?.id ?? null,
    description,
    status: port === undefined ? 'DOWN' : 'ACTIVE',
    tenant_id: NHN.tenantId,
  }
}

function createFloatingIp(world: NhnWorld, request: SandboxRequest): SandboxResponse {
  const asked = neutronBody(request, NewFloatingIp).floatingip
  if (asked.floating_network_id !== EXTERNAL_NETWORK_ID) return notFound('ExternalNetwork', asked.floating_network_id)
  const number = world.store.nextNumber('floating-address', 10)
  const record = {
    id: randomUUID(),
    address: `198.18.${(number >> 8) & 255}.${number & 255}`,
    portId: asked.port_id === null ? null : knownPort(world, asked.port_id),
    description: asked.description,
  }
  world.floatingIps.set(record.id, record)
  world.ledger.made({ kind: 'public-ip', id: record.id, name: record.address, atMs: world.now() })
  return answer(201, { floatingip: floatingIp(world, record) })
}

function knownPort(world: NhnWorld, id: string): string {
  if (allPorts(world).some((port) => port.id === id)) return id
  throw new NhnRefusal(notFound('Port', id))
}

function neutronBody<T>(request: SandboxRequest, schema: z.ZodType<T>): T {
  const malformed = (message: string) => new NhnRefusal(neutronError(400, 'HTTPBadRequest', message))
  let parsed: unknown
  try {
    parsed = JSON.parse(request.body.toString('utf8'))
  } catch {
    throw malformed('Unable to parse the request body')
  }
  const checked = schema.safeParse(parsed)
  if (!checked.success) throw malformed(`Invalid input: ${checked.error.issues[0]?.path.join('.') ?? ''}`)
  return checked.data
}
