/** What operators' staff and SREs do: sweeps and what they found, holding the broker's hands, what it is configured by. */
import type { Allocation } from '../../shared/allocation.ts'
import type { ImportReport, ImportRequest } from '../../shared/fleet-import.ts'
import type { FreezeRequest, Frozen, InventoryReload, LogLevel, OperationRequest } from '../../shared/operation.ts'
import type { AdoptRequest, HeldDeletes, Reconciliation, SweepFinding } from '../../shared/reconciliation.ts'
import { type CallOptions, type Calls, type PostOptions, pathTo } from './calls.ts'

export interface OperationCalls {
  /** What the last sweep found. */
  getReconciliation(providerId: string, options?: CallOptions): Promise<Reconciliation>
  /** Lets what sweeps hold back now be deleted. */
  approveSweep(providerId: string, request?: OperationRequest, options?: PostOptions): Promise<Reconciliation>
  deleteFoundNode(
    providerId: string,
    providerInstanceId: string,
    request?: OperationRequest,
    options?: PostOptions,
  ): Promise<SweepFinding>
  /** Somebody else's node is in nobody's way. */
  ignoreFoundNode(
    providerId: string,
    providerInstanceId: string,
    request?: OperationRequest,
    options?: PostOptions,
  ): Promise<SweepFinding>
  /** It is, after all. */
  countFoundNode(
    providerId: string,
    providerInstanceId: string,
    request?: OperationRequest,
    options?: PostOptions,
  ): Promise<SweepFinding>
  /** With all nodes of the same allocation. */
  adoptFoundNode(
    providerId: string,
    providerInstanceId: string,
    request: AdoptRequest,
    options?: PostOptions,
  ): Promise<Allocation>
  /** Nothing is deleted at operators that no person has asked for, until `resumeDeletes`. */
  holdDeletes(request?: OperationRequest, options?: PostOptions): Promise<HeldDeletes>
  resumeDeletes(request?: OperationRequest, options?: PostOptions): Promise<HeldDeletes>

  /** No create or delete call leaves the broker, at one operator or all; requests are still taken. */
  freeze(request?: FreezeRequest, options?: PostOptions): Promise<Frozen>
  unfreeze(request?: FreezeRequest, options?: PostOptions): Promise<Frozen>
  /** @param apply false: only shows what it would do */
  reloadInventory(request: OperationRequest, apply: boolean, options?: PostOptions): Promise<InventoryReload>
  /** Takes over grants that run already; the same once more changes nothing. @param apply false: only says what would be done */
  importFleet(request: ImportRequest, apply: boolean, options?: PostOptions): Promise<ImportReport>
  /** Of the replica that answers, until it is started again. */
  setLogLevel(request: LogLevel, options?: CallOptions): Promise<LogLevel>
}

export const operationCalls = ({ read, post, put }: Calls): OperationCalls => ({
  getReconciliation: (id, options) => read(pathTo('providers', id, 'reconciliation'), options),
  approveSweep: (id, request = {}, options) =>
    post(pathTo('providers', id, 'reconciliation', 'approve'), request, options),
  deleteFoundNode: (id, node, request = {}, options) => post(found(id, node, 'delete'), request, options),
  ignoreFoundNode: (id, node, request = {}, options) => post(found(id, node, 'ignore'), request, options),
  countFoundNode: (id, node, request = {}, options) => post(found(id, node, 'count'), request, options),
  adoptFoundNode: (id, node, request, options) => post(found(id, node, 'adopt'), request, options),
  holdDeletes: (request = {}, options) => post(pathTo('operations', 'hold-deletes'), request, options),
  resumeDeletes: (request = {}, options) => post(pathTo('operations', 'resume-deletes'), request, options),

  freeze: (request = {}, options) => post(pathTo('operations', 'freeze'), request, options),
  unfreeze: (request = {}, options) => post(pathTo('operations', 'unfreeze'), request, options),
  reloadInventory: (request, apply, options) =>
    post(`${pathTo('operations', 'inventory', 'reload')}?apply=${apply}`, request, options),
  importFleet: (request, apply, options) => post(`${pathTo('operations', 'import')}?apply=${apply}`, request, options),
  setLogLevel: (request, options) => put(pathTo('operations', 'log-level'), request, options),
})

const found = (providerId: string, providerInstanceId: string, action: string): string =>
  pathTo('providers', providerId, 'reconciliation', 'nodes', providerInstanceId, action)
