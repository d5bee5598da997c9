/**
 * What every answer of the API has to look like, endpoint by endpoint: written down apart from the routes, so that a route
 * that declares the wrong schema is noticed; and then as the OpenAPI document says, with every problem that it declares.
 * Whatever a test asks, its answer passes through here.
 */
import { z } from 'zod'
import { openApiDocument } from '../../broker/http/openapi.ts'
import { Allocation, AllocationNode, WaitlistItem } from '../../shared/allocation.ts'
import { Approval } from '../../shared/approval.ts'
import { Availability, ClusterView, ProviderView } from '../../shared/cluster.ts'
import { Decision, PlacementPreview } from '../../shared/decision.ts'
import { CloudEvent } from '../../shared/event.ts'
import { ImportReport } from '../../shared/fleet-import.ts'
import { Drain, Frozen, InventoryReload, LogLevel } from '../../shared/operation.ts'
import { HeldDeletes, Reconciliation, SweepFinding } from '../../shared/reconciliation.ts'
import { AuditChain, AuditRecord } from '../../shared/audit.ts'
import { ClosedPeriod, Settlement, UsageReport } from '../../shared/usage.ts'
import { CalendarEntry, CalendarHead, DecisionRecord } from '../../shared/proof.ts'
import { Problem } from '../../shared/problem.ts'
import { pageOf } from '../../shared/text.ts'
import { Delivery, Webhook, WebhookWithSecret } from '../../shared/webhook.ts'
import { readDocument } from './api-document.ts'

interface Endpoint {
  readonly method: string
  readonly path: RegExp
  readonly status: readonly number[]
  readonly schema: z.ZodType
  readonly hasEtag: boolean
}

const ID = '[^/]+'
const endpoint = (text: string, status: readonly number[], schema: z.ZodType, hasEtag = false): Endpoint => {
  const [method = '', path = ''] = text.split(' ')
  return { method, path: new RegExp(`^${path.replaceAll('{id}', ID)}$`), status, schema, hasEtag }
}

const ENDPOINTS: readonly Endpoint[] = [
  endpoint('GET /v1/providers', [200], pageOf(ProviderView)),
  endpoint('GET /v1/providers/{id}', [200], ProviderView, true),
  endpoint('GET /v1/providers/{id}/reconciliation', [200], Reconciliation),
  endpoint('GET /v1/clusters', [200], pageOf(ClusterView)),
  endpoint('GET /v1/clusters/{id}', [200], ClusterView, true),
  endpoint('GET /v1/clusters/{id}/availability', [200], Availability),
  endpoint('POST /v1/placements/preview', [200], PlacementPreview),
  endpoint('PUT /v1/approvals/{id}', [200, 201], Approval, true),
  endpoint('GET /v1/approvals', [200], pageOf(Approval)),
  endpoint('GET /v1/approvals/{id}', [200], Approval, true),
  endpoint('POST /v1/approvals/{id}/revoke', [200], Approval, true),
  endpoint('POST /v1/allocations', [201], Allocation, true),
  endpoint('GET /v1/allocations', [200], pageOf(Allocation)),
  endpoint('GET /v1/allocations/{id}', [200], Allocation, true),
  endpoint('POST /v1/allocations/{id}/release', [202], Allocation, true),
  endpoint('POST /v1/allocations/{id}/extend', [200], Allocation, true),
  endpoint('POST /v1/allocations/{id}/shrink', [202], Allocation, true),
  endpoint('POST /v1/allocations/{id}/retry', [202], Allocation, true),
  endpoint('GET /v1/allocations/{id}/nodes', [200], pageOf(AllocationNode)),
  endpoint('GET /v1/allocations/{id}/decisions', [200], pageOf(Decision)),
  endpoint('GET /v1/decisions', [200], pageOf(DecisionRecord)),
  endpoint('GET /v1/decisions/{id}', [200], DecisionRecord, true),
  endpoint('GET /v1/calendar', [200], CalendarHead, true),
  endpoint('GET /v1/calendar/log', [200], pageOf(CalendarEntry)),
  endpoint('GET /v1/waitlist', [200], pageOf(WaitlistItem)),
  endpoint('GET /v1/events', [200], pageOf(CloudEvent)),
  endpoint('POST /v1/webhooks', [201], WebhookWithSecret, true),
  endpoint('GET /v1/webhooks', [200], pageOf(Webhook)),
  endpoint('GET /v1/webhooks/{id}', [200], Webhook, true),
  endpoint('DELETE /v1/webhooks/{id}', [204], z.undefined()),
  endpoint('POST /v1/webhooks/{id}/rotate-secret', [200], WebhookWithSecret, true),
  endpoint('GET /v1/webhooks/{id}/deliveries', [200], pageOf(Delivery)),
  endpoint('POST /v1/webhooks/{id}/deliveries/{id}/redeliver', [202], Delivery),
  endpoint('GET /v1/audit', [200], pageOf(AuditRecord)),
  endpoint('GET /v1/audit/chain', [200], AuditChain, true),
  endpoint('GET /v1/usage', [200], UsageReport),
  endpoint('POST /v1/usage/periods/{id}/close', [200], ClosedPeriod),
  endpoint('GET /v1/usage/periods/{id}/settlement', [200], Settlement),
  endpoint('POST /v1/clusters/{id}/drains', [201], Drain, true),
  endpoint('GET /v1/clusters/{id}/drains', [200], pageOf(Drain)),
  endpoint('GET /v1/drains/{id}', [200], Drain, true),
  endpoint('DELETE /v1/drains/{id}', [200], Drain, true),
  endpoint('POST /v1/operations/import', [200], ImportReport),
  endpoint('POST /v1/providers/{id}/reconciliation/approve', [200], Reconciliation),
  endpoint('POST /v1/providers/{id}/reconciliation/nodes/{id}/delete', [202], SweepFinding),
  endpoint('POST /v1/providers/{id}/reconciliation/nodes/{id}/adopt', [200], Allocation, true),
  endpoint('POST /v1/providers/{id}/reconciliation/nodes/{id}/ignore', [200], SweepFinding),
  endpoint('POST /v1/providers/{id}/reconciliation/nodes/{id}/count', [200], SweepFinding),
  endpoint('POST /v1/operations/hold-deletes', [200], HeldDeletes),
  endpoint('POST /v1/operations/resume-deletes', [200], HeldDeletes),
  endpoint('POST /v1/operations/freeze', [200], Frozen),
  endpoint('POST /v1/operations/unfreeze', [200], Frozen),
  endpoint('POST /v1/operations/inventory/reload', [200], InventoryReload),
  endpoint('PUT /v1/operations/log-level', [200], LogLevel),
  endpoint('POST /v1/clusters/{id}/suspend', [200], ClusterView, true),
  endpoint('POST /v1/clusters/{id}/resume', [200], ClusterView, true),
  endpoint('POST /v1/providers/{id}/suspend', [200], ProviderView, true),
  endpoint('POST /v1/providers/{id}/resume', [200], ProviderView, true),
]

const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  'invalid-request': 400,
  unauthorized: 401,
  'insufficient-scope': 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'no-capacity': 409,
  'limit-below-committed': 409,
  'not-in-this-status': 409,
  'too-many-webhooks': 409,
  'idempotency-in-flight': 409,
  'events-gone': 410,
  stale: 412,
  'payload-too-large': 413,
  'unsupported-media-type': 415,
  'approval-unknown': 422,
  'approval-revoked': 422,
  'approval-exceeded': 422,
  'demand-not-whole-nodes': 422,
  unsatisfiable: 422,
  'invalid-inventory': 422,
  'idempotency-key-reused': 422,
  'rate-limited': 429,
  unavailable: 503,
}

export interface Exchange {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** @throws Error that names the breach */
export function assertOnContract(exchange: Exchange): void {
  const breach = breachOf(exchange)
  if (breach === null) return
  const { method, path, status, text } = exchange
  throw new Error(`${method} ${path} → ${status}: ${breach}\n${text.slice(0, 2_000)}`)
}

function breachOf(exchange: Exchange): string | null {
  const { status, headers, text, method } = exchange
  if (!/^[A-Za-z0-9._-]{1,128}$/.test(headers.get('x-request-id') ?? '')) return 'there is no x-request-id'
  if (status === 304) return text === '' ? null : 'a 304 has no body'
  if (method === 'HEAD') return null
  const breach = status < 300 ? breachOfSuccess(exchange) : breachOfProblem(exchange)
  return breach ?? breachOfDocument(exchange)
}

const DOCUMENT = readDocument(JSON.parse(JSON.stringify(openApiDocument())) as Record<string, unknown>) // as it is served

/** Paths and methods that are no operation have no answers of their own in it. */
function breachOfDocument({ method, path, status, headers, text }: Exchange): string | null {
  const operation = DOCUMENT.operation(method, path.split('?', 1)[0] ?? '')
  return operation?.breach({ status, type: headers.get('content-type'), text }) ?? null
}

/** What also comes as a table. */
const TABLES = /^\/v1\/usage(\/periods\/[^/]+\/settlement)?$/
const CSV = 'text/csv; charset=utf-8; header=present'

function breachOfSuccess({ method, path, status, headers, text }: Exchange): string | null {
  const pathname = path.split('?', 1)[0] ?? ''
  const found = ENDPOINTS.find((one) => one.method === method && one.path.test(pathname))
  if (found === undefined) return 'it is no endpoint of the contract'
  if (!found.status.includes(status)) return `a success here is ${found.status.join(' or ')}`
  if (status === 204) return text === '' ? null : 'a 204 has no body'
  if (TABLES.test(pathname) && headers.get('content-type') === CSV) return headers.has('etag') ? 'it has an ETag' : null
  if (headers.get('content-type') !== 'application/json') return 'its media type is not application/json'
  if (found.hasEtag !== /^"[^"]+"$/.test(headers.get('etag') ?? '')) return `its ETag is ${headers.get('etag')}`
  if ((status === 201) !== headers.has('location')) return 'a 201, and nothing else, has a Location'
  const body: unknown = JSON.parse(text)
  const parsed = found.schema.safeParse(body)
  if (!parsed.success) return `the body is not what the schema says: ${parsed.error.message}`
  return notInUtc(body)
}

function breachOfProblem({ path, status, headers, text }: Exchange): string | null {
  if (headers.get('content-type') !== 'application/problem+json') return 'an error is application/problem+json'
  const parsed = Problem.safeParse(JSON.parse(text))
  if (!parsed.success) return `the problem document is not one: ${parsed.error.message}`
  const { code, type, instance, errors } = parsed.data
  if (STATUS_OF_CODE[code] !== status || parsed.data.status !== status) return `${code} does not have this status`
  if (type !== `/problems/${code}`) return `its type is ${type}`
  if (instance !== (path.split('?', 1)[0] ?? '')) return `its instance is ${instance}`
  if (status === 401 && !headers.has('www-authenticate')) return 'a 401 has a WWW-Authenticate'
  if (status === 405 && !headers.has('allow')) return 'a 405 has an Allow'
  if (status === 400 && (errors ?? []).length === 0) return 'an invalid request has its errors listed'
  return null
}

const TIME_WITH_OFFSET = /^\d{4}-\d\d-\d\dT[\d:.]+[+-]\d\d:\d\d$/

/** Answers are in UTC, whatever offset the caller wrote. */
function notInUtc(value: unknown, at = ''): string | null {
  if (typeof value === 'string') return TIME_WITH_OFFSET.test(value) ? `${at} is not in UTC: ${value}` : null
  if (typeof value !== 'object' || value === null) return null
  for (const [name, member] of Object.entries(value)) {
    const found = notInUtc(member, `${at}/${name}`)
    if (found !== null) return found
  }
  return null
}
