/** Heimdall: where each service is, and which zones the caller may use. Its envelope is its own. */
import type { SandboxResponse } from './harness.ts'
import { SUCCESS } from './kakao-knobs.ts'
import { SEEDED_AT, ZONES } from './kakao-seed.ts'
import { stamp } from './kakao-wire.ts'

const SERVICES = ['iam', 'bcs', 'image', 'volume', 'vpc', 'network', 'heimdall'] as const
const ZONED_SERVICES = ['bcs', 'vpc', 'lb', 'k8se'] as const

const POLICY = {
  id: 'be000000-0000-4000-8000-000000000001',
  priority: 0,
  created_by: 'sandbox',
  updated_by: 'sandbox',
  created_at: stamp(SEEDED_AT),
  updated_at: stamp(SEEDED_AT),
} as const

/** @param baseUrl how the client reached this operator */
export const clientEndpoints = (baseUrl: string): SandboxResponse =>
  resolved({ service_endpoints: Object.fromEntries(SERVICES.map((service) => [service, `${baseUrl}/${service}`])) })

export const zonePolicies = (): SandboxResponse =>
  resolved({ services: Object.fromEntries(ZONED_SERVICES.map((service) => [service, ZONES])) })

export const clientMetadata = (): SandboxResponse => resolved({ upstreams: {}, references: {}, cors: {} })

const resolved = (data: object): SandboxResponse => ({
  status: SUCCESS.other,
  body: { success: true, data: { ...POLICY, ...data } },
})
