/**
 * Public IPs, on the network host and on instances' interfaces. One survives the instance that it was attached to, and is
 * billed until it is deleted.
 */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { SandboxResponse } from './harness.ts'
import { SUCCESS } from './kakao-knobs.ts'
import { SUBNETS, VPC } from './kakao-seed.ts'
import { boundTo, existingInstance, look } from './kakao-state.ts'
import type { InstanceRecord, KakaoState, NetworkInterface, PublicIpRecord } from './kakao-state.ts'
import { listAnswer, parseBody, ServiceRefusal, stamp } from './kakao-wire.ts'
import type { FieldValue } from './kakao-wire.ts'
import { KAKAO } from './settings.ts'

/** Of the boot time, how long an address is `attaching`. */
const ATTACH_PART = 0.05

const NewPublicIp = z.object({ public_ip: z.object({ description: z.string().nullish() }) })

export function createPublicIp(state: KakaoState, body: Buffer): SandboxResponse {
  const { description } = parseBody(body, NewPublicIp).public_ip
  const ip = made(state, description ?? null)
  return { status: SUCCESS.create, body: { public_ip: publicIpView(state, ip) } }
}

export function listPublicIps(state: KakaoState, query: URLSearchParams): SandboxResponse {
  return listAnswer({
    noun: 'public_ips',
    rows: state.publicIps.values(),
    query,
    exact: ['id', 'status', 'public_ip', 'related_resource_id', 'created_at', 'updated_at'],
    substring: ['related_resource_name'],
    field: (ip, name) => field(state, ip, name),
    view: (ip) => publicIpView(state, ip),
  })
}

export const getPublicIp = (state: KakaoState, id: string): SandboxResponse => ({
  status: SUCCESS.other,
  body: { public_ip: publicIpView(state, existing(state, id)) },
})

export function changePublicIp(state: KakaoState, id: string, body: Buffer): SandboxResponse {
  const { description } = parseBody(body, NewPublicIp).public_ip
  const changed = { ...existing(state, id), description: description ?? null }
  state.publicIps.set(id, changed)
  return { status: SUCCESS.other, body: { public_ip: publicIpView(state, changed) } }
}

export function deletePublicIp(state: KakaoState, id: string): SandboxResponse {
  const ip = existing(state, id)
  if (boundTo(state, ip) !== null) throw new ServiceRefusal(409, `Public IP ${id} is in use.`)
  remove(state, ip)
  return { status: SUCCESS.remove }
}

/** The network host's way: by address and interface. */
export function bindPublicIp(state: KakaoState, id: string, interfaceId: string): SandboxResponse {
  const ip = existing(state, id)
  const owner = state.instances
    .values()
    .find((instance) => !look(state, instance).gone && instance.interfaces.some((face) => face.id === interfaceId))
  if (owner === undefined) throw new ServiceRefusal(404, `Network interface ${interfaceId} could not be found.`)
  return answered(state, attach(state, { ip, instance: owner, interfaceId }))
}

export function unbindPublicIp(state: KakaoState, id: string, interfaceId: string): SandboxResponse {
  const ip = existing(state, id)
  if (boundTo(state, ip)?.networkInterface.id !== interfaceId)
    throw new ServiceRefusal(404, `Public IP ${id} is not attached to network interface ${interfaceId}.`)
  return answered(state, detach(state, ip))
}

/** Makes an address and attaches it, in one call of the instances' host. */
export function attachNewPublicIp(state: KakaoState, instanceId: string, interfaceId: string): SandboxResponse {
  const { instance } = target(state, instanceId, interfaceId)
  checkReady(state, instance, interfaceId)
  return answered(state, attach(state, { ip: made(state, null), instance, interfaceId }))
}

export function attachPublicIp(
  state: KakaoState,
  { instanceId, interfaceId, publicIpId }: { instanceId: string; interfaceId: string; publicIpId: string },
): SandboxResponse {
  const { instance } = target(state, instanceId, interfaceId)
  return answered(state, attach(state, { ip: existing(state, publicIpId), instance, interfaceId }))
}

/** @param place.deletes whether the address goes too; without it, it stays and is billed */
export function removePublicIp(
  state: KakaoState,
  { instanceId, interfaceId, deletes }: { instanceId: string; interfaceId: string; deletes: boolean },
): SandboxResponse {
  target(state, instanceId, interfaceId)
  const ip = boundIp(state, interfaceId)
  if (ip === null) throw new ServiceRefusal(404, `Network interface ${interfaceId} has no public IP.`)
  const detached = detach(state, ip)
  if (deletes) remove(state, detached)
  return answered(state, detached)
}

export const boundIp = (state: KakaoState, interfaceId: string): PublicIpRecord | null =>
  state.publicIps.values().find((ip) => boundTo(state, ip)?.networkInterface.id === interfaceId) ?? null

function target(
  state: KakaoState,
  instanceId: string,
  interfaceId: string,
): { instance: InstanceRecord; networkInterface: NetworkInterface } {
  const instance = existingInstance(state, instanceId)
  const networkInterface = instance.interfaces.find(({ id }) => id === interfaceId)
  if (networkInterface === undefined)
    throw new ServiceRefusal(404, `Network interface ${interfaceId} could not be found.`)
  return { instance, networkInterface }
}

/** @throws ServiceRefusal 409 until the instance is active and idle, and while the interface has an address */
function checkReady(state: KakaoState, instance: InstanceRecord, interfaceId: string): void {
  const { idle, status } = look(state, instance)
  if (idle !== 'active')
    throw new ServiceRefusal(409, `Instance ${instance.id} is not ready for a public IP: ${status}`)
  if (boundIp(state, interfaceId) !== null)
    throw new ServiceRefusal(409, `Network interface ${interfaceId} already has a public IP.`)
}

function attach(
  state: KakaoState,
  { ip, instance, interfaceId }: { ip: PublicIpRecord; instance: InstanceRecord; interfaceId: string },
): PublicIpRecord {
  checkReady(state, instance, interfaceId)
  if (boundTo(state, ip) !== null) throw new ServiceRefusal(409, `Public IP ${ip.id} is in use.`)
  const readyAt = state.context.now() + state.context.bootMs() * ATTACH_PART
  const attached = { ...ip, attachment: { instanceId: instance.id, interfaceId, readyAt } }
  state.publicIps.set(ip.id, attached)
  return attached
}

function detach(state: KakaoState, ip: PublicIpRecord): PublicIpRecord {
  const detached = { ...ip, attachment: null }
  state.publicIps.set(ip.id, detached)
  return detached
}

function made(state: KakaoState, description: string | null): PublicIpRecord {
  const { context } = state
  const number = context.store.nextNumber('public-addresses', 0)
  // 198.18.0.0/15 is set aside for tests of devices and belongs to nobody.
  const address = `198.${18 + ((number >> 16) & 1)}.${(number >> 8) & 255}.${number & 255}`
  const ip: PublicIpRecord = { id: randomUUID(), description, address, createdAt: context.now(), attachment: null }
  state.publicIps.set(ip.id, ip)
  context.ledger.made({ kind: 'public-ip', id: ip.id, name: description ?? address, atMs: ip.createdAt })
  return ip
}

function remove({ publicIps, context }: KakaoState, { id }: PublicIpRecord): void {
  publicIps.delete(id)
  context.ledger.gone('public-ip', id, context.now())
}

function existing({ publicIps }: KakaoState, id: string): PublicIpRecord {
  const ip = publicIps.get(id)
  if (ip === undefined) throw new ServiceRefusal(404, `Public IP ${id} could not be found.`)
  return ip
}

const answered = (state: KakaoState, ip: PublicIpRecord): SandboxResponse => ({
  status: SUCCESS.other,
  body: { public_ip: publicIpView(state, ip) },
})

function statusOf(state: KakaoState, ip: PublicIpRecord): 'available' | 'attaching' | 'in_use' {
  if (boundTo(state, ip) === null) return 'available'
  return state.context.now() < (ip.attachment?.readyAt ?? 0) ? 'attaching' : 'in_use'
}

function field(state: KakaoState, ip: PublicIpRecord, name: string): FieldValue | undefined {
  switch (name) {
    case 'id':
      return ip.id
    case 'status':
      return statusOf(state, ip)
    case 'public_ip':
      return ip.address
    case 'related_resource_id':
      return boundTo(state, ip)?.networkInterface.id ?? null
    case 'related_resource_name':
      return boundTo(state, ip)?.instance.name ?? null
    case 'created_at':
    case 'updated_at':
      return stamp(ip.createdAt)
    default:
      return undefined
  }
}

function publicIpView(state: KakaoState, ip: PublicIpRecord): object {
  const bound = boundTo(state, ip)
  return {
    id: ip.id,
    description: ip.description,
    status: statusOf(state, ip),
    project_id: KAKAO.projectId,
    public_ip: ip.address,
    private_ip: bound?.networkInterface.privateIp ?? null,
    related_resource: bound === null ? null : related(bound.instance, bound.networkInterface),
    created_at: stamp(ip.createdAt),
    updated_at: stamp(ip.createdAt),
  }
}

function related(instance: InstanceRecord, { id, subnetId }: NetworkInterface): object {
  const subnet = SUBNETS.find((known) => known.id === subnetId)
  return {
    id,
    name: instance.name,
    // Of the interface, not a provisioning state as the older schema says.
    status: 'in_use',
    type: 'instance',
    device_owner: 'compute',
    device_id: instance.id,
    subnet_id: subnetId,
    subnet_name: subnet?.name ?? null,
    subnet_cidr: subnet?.cidr ?? null,
    vpc_id: VPC.id,
    vpc_name: VPC.name,
  }
}
