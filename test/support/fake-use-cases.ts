/**
 * Use cases without rules or a store, for tests of what stands before them: they know one resource of each kind, and
 * note how they were called.
 */
import type { Caller, Command, Page } from '../../broker/app/command.ts'
import * as examples from '../../broker/http/examples.ts'
import type { Seen, UseCases } from '../../broker/http/use-cases.ts'
import { Refusal } from '../../shared/refusal.ts'

export interface Called {
  readonly name: keyof UseCases
  readonly args: readonly unknown[]
}

export interface FakeUseCases {
  readonly useCases: UseCases
  readonly calls: Called[]
  /** The next call of `name` fails with `error`. */
  failNext(name: keyof UseCases, error: unknown): void
}

export const ETAG = '7'
export const KNOWN = {
  allocation: examples.allocation.id,
  approval: examples.approval.id,
  provider: examples.provider.id,
  cluster: examples.cluster.id,
} as const

const onlyPage = <T>(item: T): Page<T> => ({ items: [item], next: 'after-it' })

function known<T>(id: string, expected: string, body: T): Seen<T> {
  if (id !== expected) throw new Refusal('not-found', `There is no ${id}.`)
  return { body, etag: ETAG }
}

export function fakeUseCases(): FakeUseCases {
  const calls: Called[] = []
  const failures = new Map<keyof UseCases, unknown>()
  const kept = new Map<string, string>()

  /** As the real ones: the same key and digest is a replay, another digest is refused. */
  function repeated({ caller, idempotency }: Command): boolean {
    if (idempotency === null) return false
    const key = `${caller.clientId} ${idempotency.key}`
    const digest = kept.get(key)
    kept.set(key, digest ?? idempotency.digest)
    if (digest !== undefined && digest !== idempotency.digest) {
      throw new Refusal('idempotency-key-reused', 'The key belongs to another request.')
    }
    return digest !== undefined
  }

  function changed<T>(command: Command, { body, etag }: Seen<T>): Seen<T> & { replayed: boolean } {
    const seen = command.ifMatch === null || command.ifMatch.includes('*') || command.ifMatch.includes(etag)
    if (!seen || command.onlyIfAbsent) throw new Refusal('stale', 'It has changed.')
    return { body, etag, replayed: repeated(command) }
  }

  const allocation = (_caller: Caller, id: string) => known(id, KNOWN.allocation, examples.allocation)
  const approval = (_caller: Caller, id: string) => known(id, KNOWN.approval, examples.approval)
  const cluster = (_caller: Caller, id: string) => known(id, KNOWN.cluster, examples.cluster)
  const drain = (id: string) => known(id, examples.drain.id, examples.drain)
  const webhook = (id: string) => known(id, examples.webhook.id, examples.webhook)
  const plain: UseCases = {
    createAllocation: async (command) => changed(command, { body: examples.allocation, etag: ETAG }),
    releaseAllocation: async (command, id) => changed(command, allocation(command.caller, id)),
    shrinkAllocation: async (command, id) => changed(command, allocation(command.caller, id)),
    retryAllocation: async (command, id) => changed(command, allocation(command.caller, id)),
    extendAllocation: async (command, id) => changed(command, allocation(command.caller, id)),
    putApproval: async (command, id) => ({
      ...changed(id === KNOWN.approval ? command : { ...command, onlyIfAbsent: false }, {
        body: { ...examples.approval, id },
        etag: ETAG,
      }),
      created: id !== KNOWN.approval,
    }),
    revokeApproval: async (command, id) => changed(command, approval(command.caller, id)),
    importFleet: async (command) => ({ body: examples.importReport, etag: null, replayed: repeated(command) }),
    holdProviders: async (command) => ({ body: examples.frozen, etag: null, replayed: repeated(command) }),
    reloadInventory: async (command) => ({
      body: examples.inventoryReload,
      etag: null,
      replayed: repeated(command),
    }),
    setLogLevel: async (_command, request) => ({ body: request, etag: null, replayed: false }),
    drainCluster: async (command, id) => (cluster(command.caller, id), changed(command, drain(examples.drain.id))),
    liftDrain: async (command, id) => changed(command, drain(id)),
    approveSweep: async (command, id) => (
      known(id, KNOWN.provider, null), { body: examples.reconciliation, etag: null, replayed: repeated(command) }
    ),
    deleteFoundNode: async (command, { providerId }) => {
      known(providerId, KNOWN.provider, null)
      return { body: examples.foundNode, etag: null, replayed: repeated(command) }
    },
    ignoreFoundNode: async (command, { providerId }) => {
      known(providerId, KNOWN.provider, null)
      return { body: examples.othersNode, etag: null, replayed: repeated(command) }
    },
    adoptFoundNode: async (command, { providerId }) =>
      changed(command, known(providerId, KNOWN.provider, examples.allocation)),
    holdDeletes: async (command, deletesHeld) => ({ body: { deletesHeld }, etag: null, replayed: repeated(command) }),
    closeUsagePeriod: async (command) => ({ body: examples.closedPeriod, etag: null, replayed: repeated(command) }),
    listAudit: async () => onlyPage(examples.auditRecord),
    getAuditChain: async () => examples.auditChain,
    getUsage: async () => examples.usageReport,
    getSettlement: async () => examples.settlement,
    switchCluster: async (command, id) => changed(command, cluster(command.caller, id)),
    switchProvider: async (command, id) => changed(command, known(id, KNOWN.provider, examples.provider)),
    getDrain: async (_caller, id) => drain(id),
    listDrains: async (caller, id) => (cluster(caller, id), onlyPage(examples.drain)),
    previewPlacement: async () => examples.preview,
    getAllocation: async (caller, id) => allocation(caller, id),
    listAllocations: async () => onlyPage(examples.allocation),
    listAllocationNodes: async (caller, id) =>
      [1, 2, 3].map((ordinal) => ({
        ...examples.node,
        ordinal,
        name: `${allocation(caller, id).body.name}-${ordinal}`,
      })),
    listAllocationDecisions: async (caller, id) => (allocation(caller, id), [examples.decision]),
    listDecisions: async () => onlyPage(examples.decisionRecord),
    getDecision: async (_caller, id) => known(id, examples.decision.decisionId, examples.decisionRecord).body,
    getCalendarHead: async () => examples.calendarHead,
    listCalendarLog: async () => onlyPage(examples.calendarEntry),
    getApproval: async (caller, id) => approval(caller, id),
    listApprovals: async () => onlyPage(examples.approval),
    listWaitlist: async () => onlyPage(examples.waitlistItem),
    listEvents: async () => onlyPage(examples.event),
    openEvents: async () => {
      let isRead = false
      return {
        position: () => 0,
        next: async () => {
          if (isRead) return null
          isRead = true
          return [
            { sequence: examples.event.sequence, type: examples.event.type, json: JSON.stringify(examples.event) },
          ]
        },
        close: () => undefined,
      }
    },
    createWebhook: async (command) => changed(command, { body: examples.webhookWithSecret, etag: ETAG }),
    deleteWebhook: async (command, id) => ({ ...changed(command, webhook(id)), body: null, etag: null }),
    rotateWebhookSecret: async (command, id) => (
      webhook(id), changed(command, { body: examples.webhookWithSecret, etag: ETAG })
    ),
    redeliver: async (command, { id }) => (
      webhook(id), { body: examples.redelivery, etag: null, replayed: repeated(command) }
    ),
    getWebhook: async (_caller, id) => webhook(id),
    listWebhooks: async () => onlyPage(examples.webhook),
    listDeliveries: async (_caller, id) => (webhook(id), onlyPage(examples.delivery)),
    listProviders: async () => onlyPage(examples.provider),
    getProvider: async (_caller, id) => known(id, KNOWN.provider, examples.provider),
    getReconciliation: async (_caller, id) => (known(id, KNOWN.provider, examples.provider), examples.reconciliation),
    listClusters: async () => onlyPage(examples.cluster),
    getCluster: async (caller, id) => cluster(caller, id),
    clusterAvailability: async (caller, id) => (cluster(caller, id), examples.availability),
  }

  const useCases = new Proxy(plain, {
    get(target, name: keyof UseCases) {
      const call = target[name] as (...args: unknown[]) => Promise<unknown> // each takes its own; none is looked at here
      return async (...args: unknown[]) => {
        calls.push({ name, args })
        const error = failures.get(name)
        failures.delete(name)
        if (error !== undefined) throw error
        return await call(...args)
      }
    },
  })
  return { useCases, calls, failNext: (name, error) => void failures.set(name, error) }
}
