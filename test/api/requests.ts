/** What the API suite asks for, as short as a test can say it: each test works under an approval of its own. */
import { randomUUID } from 'node:crypto'
import { Allocation } from '../../shared/allocation.ts'
import { Approval } from '../../shared/approval.ts'
import { HOUR_MS, hourFloor, toIso } from '../../shared/time.ts'
import { type ApiClient, type Got, until } from '../support/api-client.ts'

/** The hour in which the process began: one for all, or a test that runs over the end of an hour would ask for two. */
const FIRST_HOUR = hourFloor(Date.now())

/** So many hours from the first one. */
export const hours = (offset: number): string => toIso(FIRST_HOUR + offset * HOUR_MS)

export const days = (offset: number): string => hours(24 * offset)

/** An id that nobody has used. */
export const freshId = (prefix: string): string => `${prefix}-${randomUUID().slice(0, 8)}`

export const approvalBody = (changes: object = {}, limits: object = {}): Record<string, unknown> => ({
  organizationId: 'kaist',
  program: 'ai-foundation-model',
  priority: 'standard',
  limits: {
    maxNodes: 10_000,
    gpuHours: 1e9,
    architectures: ['blackwell', 'hopper'],
    validFrom: days(-30),
    validTo: days(1_000),
    ...limits,
  },
  ...changes,
})

/** Registers a new approval. @returns its id */
export async function approve(platform: ApiClient, changes: object = {}, limits: object = {}): Promise<string> {
  const id = freshId('apr')
  const got = await platform.put(`/v1/approvals/${id}`, approvalBody(changes, limits))
  return got.as(201, Approval).id
}

/** A day in the future, far from what other tests ask for unless they say so. */
export const allocationBody = (approvalId: string, changes: object = {}): Record<string, unknown> => ({
  approvalId,
  name: 'pretrain',
  demand: { nodes: 1 },
  period: { start: days(2), end: days(3) },
  ...changes,
})

/** Asks for nodes that are expected to be taken: scheduled or waitlisted. Who is turned away by a busy broker comes again. */
export async function allocate(client: ApiClient, approvalId: string, changes: object = {}): Promise<Allocation> {
  const [body, key] = [allocationBody(approvalId, changes), freshId('key')]
  const ask = (): Promise<Got> => client.post('/v1/allocations', body, { 'idempotency-key': key })
  return (await until(ask, isLetIn)).as(201, Allocation)
}

export const isLetIn = ({ status }: Got): boolean => status !== 503

export const look = async (client: ApiClient, id: string): Promise<Allocation> =>
  (await client.get(`/v1/allocations/${id}`)).as(200, Allocation)

/** Waits for the status. */
export const reaches = (client: ApiClient, id: string, status: Allocation['status']): Promise<Allocation> =>
  until(
    () => look(client, id),
    (allocation) => allocation.status === status,
  )

export const release = async (client: ApiClient, id: string, body?: object): Promise<Allocation> =>
  (await client.post(`/v1/allocations/${id}/release`, body)).as(202, Allocation)
