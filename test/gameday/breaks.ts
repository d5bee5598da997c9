/** Ways to break the sandbox, each with the alert that must tell of it. */
import { Frozen, InventoryReload } from '../../shared/operation.ts'
import { HeldDeletes, Reconciliation, SweepFinding } from '../../shared/reconciliation.ts'
import { MINUTE_MS } from '../../shared/time.ts'
import { approve, release } from '../api/requests.ts'
import { allocateAt, untilActiveAndTrue, untilStatus } from '../durability/allocations.ts'
import { handMadeAt } from '../durability/hand-made.ts'
import { secondHandAt } from '../durability/second-hand.ts'
import type { Labels } from '../observability/prometheus.ts'
import { CLUSTER, type GameWorld, type Rules } from './world.ts'

export interface Break {
  /** What is done, and the name that `--only` knows it by. */
  readonly name: string
  readonly alert: string
  readonly labels: Labels
  readonly rules: Rules
  /** Default 5 minutes. */
  readonly mustFireWithinMs?: number
  /** Whether it needs a database that can be stopped. */
  readonly needsPostgres?: true
  /** Breaks it. @returns how to mend it */
  break(world: GameWorld): Promise<() => Promise<unknown>>
}

const EVERYTHING = [{ match: { path: '.' } }] as const

/** Each at an operator of its own, so that they are done at once. */
export const AT_ONCE: readonly Break[] = [
  {
    name: 'operator black-holed',
    alert: 'GpuBrokerOperatorDown',
    labels: { provider: 'nhn' },
    rules: 'as written',
    mustFireWithinMs: 2 * MINUTE_MS,
    async break({ operators }) {
      await operators.setFaults('nhn', [{ ...EVERYTHING[0], effect: 'black-hole' }])
      return () => operators.setFaults('nhn', [])
    },
  },
  {
    name: 'operator answers 503',
    alert: 'GpuBrokerCircuitOpen',
    labels: { provider: 'kakao', kind: 'read' },
    rules: 'as written',
    async break({ operators }) {
      await operators.setFaults('kakao', [{ ...EVERYTHING[0], effect: 'status', status: 503 }])
      return () => operators.setFaults('kakao', [])
    },
  },
  {
    name: 'operator refuses the key',
    alert: 'GpuBrokerKeyRefused',
    labels: { provider: 'naver' },
    rules: 'as written',
    async break({ operators }) {
      await operators.setFaults('naver', [{ ...EVERYTHING[0], effect: 'status', status: 401 }])
      return () => operators.setFaults('naver', [])
    },
  },
]

const MANY_EVENTS = 1_100
const ASKED_AT_ONCE = 20

export const ONE_BY_ONE: readonly Break[] = [
  {
    name: 'deletions that are lies',
    alert: 'GpuBrokerQuarantineOld',
    labels: { cluster: CLUSTER },
    rules: 'shortened',
    async break({ operators, platform, approvalId }) {
      const { id } = await allocateAt(platform, approvalId, { operator: 'kakao', nodes: 1 })
      await untilActiveAndTrue({ platform, operators }, { id, operator: 'kakao', nodes: 1 })
      await operators.setBehaviour('kakao', { deleteLies: true })
      await release(platform, id)
      return () => operators.setBehaviour('kakao', {})
    },
  },
  {
    name: 'a node with our tag and no allocation',
    alert: 'GpuBrokerSweepUnknown',
    labels: { provider: 'kakao' },
    rules: 'shortened',
    async break({ operators, platform, installationId }) {
      const hand = secondHandAt(operators, 'kakao')
      const planting = { installationId, allocationId: 'alc_gamedaygameday22', nodes: 1 }
      const [id = ''] = await hand.plant(planting)
      hand.close()
      const path = `/v1/providers/kakao/reconciliation/nodes/${id}/delete`
      return async () => (await platform.post(path)).as(202, SweepFinding)
    },
  },
  {
    name: 'nodes that others made in our cluster',
    alert: 'GpuBrokerSweepFinding',
    labels: { provider: 'naver', kind: 'leftover' },
    rules: 'shortened',
    async break({ operators }) {
      const { providerInstanceIds } = await handMadeAt(operators, 'naver', 1)
      const hand = secondHandAt(operators, 'naver')
      return () => hand.remove(providerInstanceIds).finally(() => hand.close())
    },
  },
  {
    name: 'more orphans than may be deleted in an hour',
    alert: 'GpuBrokerSweepHeld',
    labels: { provider: 'nhn' },
    rules: 'shortened',
    async break({ operators, platform, approvalId, installationId }) {
      const { id } = await allocateAt(platform, approvalId, { operator: 'nhn', nodes: 1 })
      await untilActiveAndTrue({ platform, operators }, { id, operator: 'nhn', nodes: 1 })
      await release(platform, id)
      await untilStatus(platform, id, ['released'])
      const hand = secondHandAt(operators, 'nhn')
      await hand.plant({ installationId, allocationId: id, nodes: 10 })
      hand.close()
      return async () => (await platform.post('/v1/providers/nhn/reconciliation/approve')).as(200, Reconciliation)
    },
  },
  {
    name: 'an operator that was frozen and forgotten',
    alert: 'GpuBrokerFrozenTooLong',
    labels: { provider: 'nhn' },
    rules: 'shortened',
    async break({ platform }) {
      const body = { providerId: 'nhn', reason: 'game day' }
      ;(await platform.post('/v1/operations/freeze', body)).as(200, Frozen)
      return async () => (await platform.post('/v1/operations/unfreeze', body)).as(200, Frozen)
    },
  },
  {
    name: 'deletions held, as after a restore',
    alert: 'GpuBrokerDeletesHeld',
    labels: {},
    rules: 'shortened',
    async break({ platform }) {
      ;(await platform.post('/v1/operations/hold-deletes')).as(200, HeldDeletes)
      return async () => (await platform.post('/v1/operations/resume-deletes')).as(200, HeldDeletes)
    },
  },
  {
    name: 'a cluster that shrinks below what runs',
    alert: 'GpuBrokerShortfall',
    labels: { cluster: CLUSTER },
    rules: 'shortened',
    async break({ operators, broker, platform, approvalId }) {
      const { id } = await allocateAt(platform, approvalId, { operator: 'kakao', nodes: 3 })
      await untilActiveAndTrue({ platform, operators }, { id, operator: 'kakao', nodes: 3 })
      const reload = async (): Promise<unknown> =>
        (await platform.post('/v1/operations/inventory/reload?apply=true')).as(200, InventoryReload)
      broker.setInventory((inventory) => ({
        ...inventory,
        clusters: inventory.clusters.map((one) => (one.id === CLUSTER ? { ...one, phases: oneNode(one.phases) } : one)),
      }))
      await reload()
      return async () => {
        broker.setInventory((inventory) => inventory)
        await reload()
        await release(platform, id)
      }
    },
  },
  {
    name: 'an endpoint that takes no events',
    alert: 'GpuBrokerWebhookBacklog',
    labels: {},
    rules: 'shortened',
    async break({ endpoint, platform }) {
      endpoint.answer(500)
      for (let made = 0; made < MANY_EVENTS; made += ASKED_AT_ONCE)
        await Promise.all(Array.from({ length: ASKED_AT_ONCE }, () => approve(platform)))
      return async () => endpoint.answer(204)
    },
  },
  {
    name: 'the database stopped',
    alert: 'GpuBrokerDatabaseDown',
    labels: {},
    rules: 'as written',
    needsPostgres: true,
    async break({ database }) {
      if (database === null) throw new Error('PGlite ends with its process')
      return database.halt()
    },
  },
  {
    name: 'the broker stopped',
    alert: 'GpuBrokerAbsent',
    labels: {},
    rules: 'as written',
    async break({ broker, scrapeAgain }) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const back = broker.inStore(() => promise) // stopped as long as somebody else reads its store
      return async () => {
        resolve()
        await back
        await scrapeAgain()
      }
    },
  },
]

const oneNode = <Phase extends object>(phases: readonly Phase[]): readonly Phase[] =>
  phases.map((phase) => ({ ...phase, nodes: 1 }))
