/** The API as functions, one per operation of the OpenAPI document and named like it, in the vocabulary of `shared/`. */
import { type AllocationCalls, allocationCalls } from './allocations.ts'
import { callsOver } from './calls.ts'
import { type CatalogueCalls, catalogueCalls } from './catalogue.ts'
import { type EventCalls, eventCalls } from './events.ts'
import { type ExchangeOptions, createExchange } from './exchange.ts'
import { type OperationCalls, operationCalls } from './operations.ts'
import { type RecordCalls, recordCalls } from './records.ts'

/** Every call rejects as `Exchange` says: ProblemError, UnreachableError, TokenError, or the signal's reason. */
export interface Client extends CatalogueCalls, AllocationCalls, EventCalls, OperationCalls, RecordCalls {}

export function createClient(options: ExchangeOptions): Client {
  const calls = callsOver(createExchange(options))
  return {
    ...catalogueCalls(calls),
    ...allocationCalls(calls),
    ...eventCalls(calls),
    ...operationCalls(calls),
    ...recordCalls(calls),
  }
}
