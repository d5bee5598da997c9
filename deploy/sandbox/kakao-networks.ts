/** The networks that instances stand in: VPCs and subnets, which are there from the start, and security groups. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { SandboxResponse } from './harness.ts'
import { SUCCESS } from './kakao-knobs.ts'
import { SEEDED_AT, SUBNETS, VPC } from './kakao-seed.ts'
import type { Subnet } from './kakao-seed.ts'
import type { KakaoState, SecurityGroupRecord, SecurityRule } from './kakao-state.ts'
import { listAnswer, parseBody, ServiceRefusal, stamp } from './kakao-wire.ts'
import type { FieldValue } from './kakao-wire.ts'
import { KAKAO } from './settings.ts'

/** Of the boot time, until a new rule shows. */
const RULE_PART = 0.1

type Fields = Readonly<Record<string, FieldValue | undefined>>

const STANDING = {
  project_id: KAKAO.projectId,
  is_shared: false,
  provisioning_status: 'ACTIVE',
  operating_status: 'ONLINE',
  created_at: stamp(SEEDED_AT),
  updated_at: stamp(SEEDED_AT),
} as const

export function listSubnets(query: URLSearchParams): SandboxResponse {
  return listAnswer({
    noun: 'subnets',
    rows: SUBNETS,
    query,
    exact: [
      'id',
      'availability_zone',
      'vpc_id',
      'vpc_name',
      'cidr_block',
      'provisioning_status',
      'operating_status',
      'is_shared',
      'created_at',
      'updated_at',
    ],
    substring: ['name'],
    field: (subnet, name) => subnetFields(subnet)[name],
    view: subnetFields,
  })
}

export function getSubnet(id: string): SandboxResponse {
  const subnet = SUBNETS.find((known) => known.id === id)
  if (subnet === undefined) throw new ServiceRefusal(404, `Subnet ${id} could not be found.`)
  return { status: SUCCESS.other, body: { subnet: subnetFields(subnet) } }
}

const subnetFields = ({ id, name, zone, cidr }: Subnet): Fields => ({
  id,
  name,
  availability_zone: zone,
  cidr_block: cidr,
  vpc_id: VPC.id,
  vpc_name: VPC.name,
  ...STANDING,
})

export function listVpcs(query: URLSearchParams): SandboxResponse {
  return listAnswer({
    noun: 'vpcs',
    rows: [VPC],
    query,
    exact: ['id', 'cidr_block', 'provisioning_status', 'is_default'],
    substring: ['name'],
    field: (_, name) => vpcFields()[name],
    view: vpcFields,
  })
}

export function getVpc(id: string): SandboxResponse {
  if (id !== VPC.id) throw new ServiceRefusal(404, `VPC ${id} could not be found.`)
  return { status: SUCCESS.other, body: { vpc: vpcFields() } }
}

const vpcFields = (): Fields => ({
  id: VPC.id,
  name: VPC.name,
  cidr_block: VPC.cidr,
  description: null,
  is_default: true,
  ...STANDING,
})

const NewGroup = z.object({
  security_group: z.object({ name: z.string().min(1), description: z.string().nullish() }),
})

export function createSecurityGroup(state: KakaoState, body: Buffer): SandboxResponse {
  const { name, description } = parseBody(body, NewGroup).security_group
  if (state.securityGroups.values().some((group) => group.name === name))
    throw new ServiceRefusal(409, `Security group ${name} already exists.`)
  const group: SecurityGroupRecord = {
    id: randomUUID(),
    name,
    description: description ?? null,
    createdAt: state.context.now(),
    rules: [],
  }
  state.securityGroups.set(group.id, group)
  state.context.ledger.made({ kind: 'security-group', id: group.id, name, atMs: group.createdAt })
  return { status: SUCCESS.create, body: { security_group: groupView(state, group) } }
}

export function listSecurityGroups(state: KakaoState, query: URLSearchParams): SandboxResponse {
  return listAnswer({
    noun: 'security_groups',
    rows: state.securityGroups.values(),
    query,
    exact: ['id', 'created_at', 'updated_at'],
    substring: ['name'],
    field: (group, name) => groupFields(group)[name],
    view: (group) => groupView(state, group),
  })
}

export const getSecurityGroup = (state: KakaoState, id: string): SandboxResponse => ({
  status: SUCCESS.other,
  body: { security_group: groupView(state, existing(state, id)) },
})

export function deleteSecurityGroup(state: KakaoState, id: string): SandboxResponse {
  existing(state, id)
  const used = state.instances
    .values()
    .some(
      ({ interfaces, deletion }) => deletion === null && interfaces.some((face) => face.securityGroupIds.includes(id)),
    )
  if (used) throw new ServiceRefusal(409, `Security group ${id} is in use.`)
  state.securityGroups.delete(id)
  state.context.ledger.gone('security-group', id, state.context.now())
  return { status: SUCCESS.remove }
}

const Port = z.int().min(1).max(65_535).nullish()
const NewRule = z.object({
  security_group_rule: z.object({
    direction: z.enum(['ingress', 'egress']),
    protocol: z.enum(['TCP', 'UDP', 'ICMP', 'IPIP', 'ALL']),
    port_range_min: Port,
    port_range_max: Port,
    remote_ip_prefix: z.string().nullish(),
    remote_group_id: z.string().nullish(),
    description: z.string().nullish(),
  }),
})

export function addRule(state: KakaoState, groupId: string, body: Buffer): SandboxResponse {
  const group = existing(state, groupId)
  const asked = parseBody(body, NewRule).security_group_rule
  const rule: SecurityRule = {
    id: randomUUID(),
    direction: asked.direction,
    protocol: asked.protocol,
    portRangeMin: asked.port_range_min ?? null,
    portRangeMax: asked.port_range_max ?? null,
    remoteIpPrefix: asked.remote_ip_prefix ?? null,
    remoteGroupId: asked.remote_group_id ?? null,
    description: asked.description ?? null,
    shownFrom: state.context.now() + state.context.bootMs() * RULE_PART,
  }
  state.securityGroups.set(groupId, { ...group, rules: [...group.rules, rule] })
  return { status: SUCCESS.create, body: { security_group_rule: ruleView(rule) } }
}

export function removeRule(state: KakaoState, groupId: string, ruleId: string): SandboxResponse {
  const group = existing(state, groupId)
  const rules = group.rules.filter(({ id }) => id !== ruleId)
  if (rules.length === group.rules.length) throw new ServiceRefusal(404, `Rule ${ruleId} could not be found.`)
  state.securityGroups.set(groupId, { ...group, rules })
  return { status: SUCCESS.remove }
}

function existing({ securityGroups }: KakaoState, id: string): SecurityGroupRecord {
  const group = securityGroups.get(id)
  if (group === undefined) throw new ServiceRefusal(404, `Security group ${id} could not be found.`)
  return group
}

const groupFields = ({ id, name, description, createdAt }: SecurityGroupRecord): Fields => ({
  id,
  name,
  description,
  project_id: KAKAO.projectId,
  is_stateful: true,
  created_at: stamp(createdAt),
  updated_at: stamp(createdAt),
})

const groupView = ({ context }: KakaoState, group: SecurityGroupRecord): object => ({
  ...groupFields(group),
  tags: [],
  rules: group.rules.filter(({ shownFrom }) => context.now() >= shownFrom).map(ruleView),
})

/** Ports go in as numbers and come back as texts. */
const ruleView = (rule: SecurityRule): object => ({
  id: rule.id,
  direction: rule.direction,
  protocol: rule.protocol,
  port_range_min: rule.portRangeMin === null ? null : String(rule.portRangeMin),
  port_range_max: rule.portRangeMax === null ? null : String(rule.portRangeMax),
  remote_ip_prefix: rule.remoteIpPrefix,
  remote_group_id: rule.remoteGroupId,
  description: rule.description,
})
