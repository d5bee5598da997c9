/** What `gpu-broker/client` is made of: the entry of the package for programs that call a broker. */
export { type Client, createClient } from './client.ts'
export type { AnswerFacts, ExchangeOptions as ClientOptions } from './exchange.ts'
export type { RetryPolicy } from './retry.ts'
export { collect } from './collect.ts'
export { type ClientCredentials, type TokenSource, clientCredentials, fixedToken } from './credentials.ts'
export { ProblemError, TokenError, UnreachableError } from './problem-error.ts'
export type {
  CallOptions,
  IfMatchOption,
  IfNoneMatchOption,
  ListOptions,
  PostOptions,
  ReadById,
  ReadOne,
} from './calls.ts'
export type { AllocationFilter } from './allocations.ts'
export type { TimeRange } from './catalogue.ts'
export type { EventFilter } from './events.ts'
export type { AuditFilter, UsageQuery } from './records.ts'
export type { StreamOptions } from './stream.ts'
export type * from '../../shared/allocation.ts'
export type * from '../../shared/approval.ts'
export type * from '../../shared/audit.ts'
export type * from '../../shared/cluster.ts'
export type * from '../../shared/decision.ts'
export type * from '../../shared/event.ts'
export type * from '../../shared/fleet-import.ts'
export type * from '../../shared/operation.ts'
export type * from '../../shared/problem.ts'
export type * from '../../shared/proof.ts'
export type * from '../../shared/reconciliation.ts'
export type * from '../../shared/refusal.ts'
export type * from '../../shared/usage.ts'
export type * from '../../shared/webhook.ts'
