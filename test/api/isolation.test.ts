/**
 * Who gets what: every operation of the OpenAPI document, asked by every client of the sandbox and by nobody, written once
 * as a table. An operation without a row fails, and so does a cell that turns out otherwise. All answers pass through the
 * wire contract (`test/support/wire-contract.ts`), so this is also where each operation is held to its schemas.
 */
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { openApiDocument } from '../../broker/http/openapi.ts'
import { Drain } from '../../shared/operation.ts'
import { Reconciliation } from '../../shared/reconciliation.ts'
import { pageOf } from '../../shared/text.ts'
import { Delivery, WebhookWithSecret } from '../../shared/webhook.ts'
import { handMadeAt } from '../durability/hand-made.ts'
import { type Operators, startOperators } from '../durability/operators.ts'
import { closeAll } from '../support/close-all.ts'
import { type ApiClient, until } from '../support/api-client.ts'
import { START_WITHIN_MS, startTestBroker, type TestBroker } from '../support/broker.ts'
import { startReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts'
import { type Ask, ASKS, type IsolationWorld } from './isolation-asks.ts'
import { allocate, approve, days } from './requests.ts'

const CLIENTS = ['platform', 'opaque', 'sre', 'auditor', 'kaist', 'nhn-staff', 'nobody'] as const

/**
 * `kaist` is that organisation's, at Kakao; `other` is another organisation's, at NHN; `-` is nobody's in particular. 409:
 * within reach, and not possible as it stands. 422: no approval of this caller's.
 */
const TABLE = `
operation              whose  platform opaque sre auditor kaist nhn-staff nobody
listProviders          -      200      200    200 200     200   200       401
getProvider            kaist  200      200    200 200     200   200       401
getProvider            other  200      200    200 200     200   200       401
listClusters           -      200      200    200 200     200   200       401
getCluster             kaist  200      200    200 200     200   200       401
getClusterAvailability kaist  200      200    200 200     200   200       401
previewPlacement       -      200      200    200 200     200   200       401
putApproval            kaist  201      201    403 403     403   403       401
getApproval            kaist  200      200    200 403     200   404       401
getApproval            other  200      200    200 403     404   200       401
listApprovals          -      200      200    200 403     200   200       401
revokeApproval         kaist  200      200    403 403     403   403       401
createAllocation       kaist  201      201    403 403     201   403       401
createAllocation       other  201      201    403 403     422   403       401
listAllocations        -      200      200    200 403     200   200       401
getAllocation          kaist  200      200    200 403     200   404       401
getAllocation          other  200      200    200 403     404   200       401
listAllocationNodes    kaist  200      200    200 403     200   404       401
listAllocationNodes    other  200      200    200 403     404   200       401
listAllocationDecisions kaist 200      200    200 403     200   404       401
listAllocationDecisions other 200      200    200 403     404   200       401
releaseAllocation      kaist  202      202    403 403     202   403       401
releaseAllocation      other  202      202    403 403     404   403       401
extendAllocation       kaist  200      200    403 403     200   403       401
extendAllocation       other  200      200    403 403     404   403       401
shrinkAllocation       kaist  202      202    403 403     202   403       401
shrinkAllocation       other  202      202    403 403     404   403       401
retryAllocation        kaist  409      409    409 403     403   404       401
retryAllocation        other  409      409    409 403     403   409       401
listWaitlist           -      200      200    200 403     200   200       401
listEvents             -      200      200    200 403     200   200       401
createWebhook          -      201      201    403 403     403   403       401
listWebhooks           -      200      200    403 403     403   403       401
getWebhook             -      200      200    403 403     403   403       401
rotateWebhookSecret    -      200      200    403 403     403   403       401
listDeliveries         -      200      200    403 403     403   403       401
redeliver              -      202      202    403 403     403   403       401
deleteWebhook          -      204      204    403 403     403   403       401
getUsage               -      200      200    403 200     200   403       401
closeUsagePeriod       -      200      200    200 403     403   404       401
getSettlement          -      200      200    403 200     200   403       401
listAudit              -      200      200    403 200     403   403       401
getAuditChain          -      200      200    403 200     403   403       401
drainCluster           kaist  201      201    201 403     403   404       401
drainCluster           other  201      201    201 403     403   201       401
listDrains             kaist  200      200    200 200     200   200       401
getDrain               kaist  200      200    200 200     200   200       401
liftDrain              kaist  200      200    200 403     403   404       401
liftDrain              other  200      200    200 403     403   200       401
suspendCluster         kaist  200      200    200 403     403   404       401
suspendCluster         other  200      200    200 403     403   200       401
resumeCluster          kaist  200      200    200 403     403   404       401
resumeCluster          other  200      200    200 403     403   200       401
suspendProvider        kaist  200      200    200 403     403   404       401
suspendProvider        other  200      200    200 403     403   200       401
resumeProvider         kaist  200      200    200 403     403   404       401
resumeProvider         other  200      200    200 403     403   200       401
freeze                 kaist  200      200    200 403     403   404       401
freeze                 other  200      200    200 403     403   200       401
freeze                 -      200      200    200 403     403   404       401
unfreeze               kaist  200      200    200 403     403   404       401
unfreeze               other  200      200    200 403     403   200       401
unfreeze               -      200      200    200 403     403   404       401
importFleet            kaist  200      200    200 403     403   200       401
reloadInventory        -      200      200    200 403     403   403       401
setLogLevel            -      200      200    200 403     403   403       401
getReconciliation      kaist  200      200    200 200     200   404       401
getReconciliation      other  200      200    200 200     200   200       401
approveSweep           kaist  200      200    200 403     403   404       401
approveSweep           other  200      200    200 403     403   200       401
deleteFoundNode        kaist  409      409    409 403     403   404       401
deleteFoundNode        other  409      409    409 403     403   409       401
adoptFoundNode         kaist  409      409    409 403     403   404       401
adoptFoundNode         other  409      409    409 403     403   409       401
ignoreFoundNode        kaist  200      200    200 403     403   404       401
ignoreFoundNode        other  200      200    200 403     403   200       401
countFoundNode         kaist  200      200    200 403     403   404       401
countFoundNode         other  200      200    200 403     403   200       401
holdDeletes            -      200      200    200 403     403   404       401
resumeDeletes          -      200      200    200 403     403   404       401
listDecisions          -      200      200    403 200     403   403       401
getDecision            -      200      200    403 200     403   403       401
getCalendarHead        -      200      200    403 200     403   403       401
listCalendarLog        -      200      200    403 200     403   403       401
`
const [, ...ROWS] = TABLE.trim()
  .split('\n')
  .map((line) => line.split(/ +/))

const JSON_BODY = { 'content-type': 'application/json' }

describe('who gets what', () => {
  let operators: Operators
  let broker: TestBroker
  let receiver: WebhookReceiver
  let world: IsolationWorld
  before(async function start() {
    this.timeout(START_WITHIN_MS)
    operators = await startOperators()
    receiver = await startReceiver()
    const env = { WEBHOOK_ALLOW_PRIVATE: 'true', SWEEP_INTERVAL_SECONDS: '1' }
    broker = await startTestBroker({ sandbox: operators, env })
    world = await build(await broker.as('platform'))
  })
  after(() =>
    closeAll(
      () => broker.stop(),
      () => receiver.close(),
      () => operators.close(),
    ),
  )

  async function build(platform: ApiClient): Promise<IsolationWorld> {
    const webhook = (await platform.post('/v1/webhooks', { url: receiver.url })).as(201, WebhookWithSecret)
    const kaist = await allocate(platform, await approve(platform), { requires: { providers: ['kakao'] } })
    const foreign = await approve(platform, { organizationId: 'snu' })
    const other = await allocate(platform, foreign, { requires: { providers: ['nhn'] } })
    const [delivery] = await until(
      async () => (await platform.get(`/v1/webhooks/${webhook.id}/deliveries`)).as(200, pageOf(Delivery)).items,
      (items) => items.length > 0,
    )
    const found = { kaist: await foundAt(platform, 'kakao'), other: await foundAt(platform, 'nhn') }
    const decisionId = kaist.placement?.decisionId ?? ''
    const delivered = { webhookId: webhook.id, deliveryId: delivery?.id ?? '', receiver: receiver.url }
    return { platform, kaist, other, found, decisionId, ...delivered }
  }

  /** A node that somebody made by hand there, once a sweep has found it. */
  async function foundAt(platform: ApiClient, operator: 'kakao' | 'nhn'): Promise<string> {
    const [id = ''] = (await handMadeAt(operators, operator, 1)).providerInstanceIds
    await until(
      async () => (await platform.get(`/v1/providers/${operator}/reconciliation`)).as(200, Reconciliation).findings,
      (findings) => findings.some((one) => one.providerInstanceId === id),
    )
    return id
  }

  async function statusOf(client: (typeof CLIENTS)[number], [method, path, body]: Ask): Promise<number> {
    const caller = client === 'nobody' ? broker.withToken(null) : await broker.as(client)
    const init = body === undefined ? {} : { headers: JSON_BODY, body: JSON.stringify(body) }
    return (await caller.send(method, path, init)).status
  }

  it('is in the table for every operation that the document has', () => {
    const documented = Object.values(openApiDocument().paths ?? {}).flatMap((path) =>
      Object.values(path).map(({ operationId }: { readonly operationId: string }) => operationId),
    )
    expect(new Set(ROWS.map(([operation]) => operation))).to.deep.equal(new Set(documented))
  })

  for (const [operation = '', whose = '', ...cells] of ROWS) {
    it(`${operation} ${whose === '-' ? '' : `of ${whose}`}`, async () => {
      const { ask, undo } = ASKS[operation] ?? {}
      if (ask === undefined) throw new Error('nothing is asked for this row')
      const got: string[] = []
      let asked: Ask | null = null
      for (const client of CLIENTS) {
        asked ??= await ask(world, whose)
        const status = await statusOf(client, asked)
        got.push(String(status))
        if (status >= 300) continue
        asked = null // what one has changed, the next would find changed
        if (undo !== undefined) await world.platform.send(...undo(whose))
      }
      expect(got).to.deep.equal(cells)
    })
  }

  it('and what a list holds is what its caller may look at', async () => {
    const sees = async (client: string): Promise<string[]> => {
      const { text } = await (await broker.as(client)).get('/v1/allocations?limit=500')
      return [world.kaist, world.other]
        .filter(({ id }) => text.includes(id))
        .map(({ organizationId }) => organizationId)
    }
    expect(await sees('platform')).to.deep.equal(['kaist', 'snu'])
    expect(await sees('kaist')).to.deep.equal(['kaist'])
    expect(await sees('nhn-staff')).to.deep.equal(['snu'])
  })

  it('and whom a drain affects is for its operator, and for each of them', async () => {
    const period = { start: days(210), end: days(211) }
    const requires = { providers: ['kakao'] }
    const [own, others] = await Promise.all(
      [world.kaist, world.other].map(({ approvalId }) => allocate(world.platform, approvalId, { requires, period })),
    )
    const allOfIt = { nodes: 255, from: period.start, to: period.end, reason: 'maintenance' }
    const { id } = (await world.platform.post('/v1/clusters/kakao-b200-255/drains', allOfIt)).as(201, Drain)
    const affected = async (client: string) => {
      const caller = await broker.as(client)
      const one = (await caller.get(`/v1/drains/${id}`)).as(200, Drain)
      const { items } = (await caller.get('/v1/clusters/kakao-b200-255/drains')).as(200, pageOf(Drain))
      expect(items.find((drain) => drain.id === id)).to.deep.equal(one)
      return one.affected.map(({ allocationId }) => allocationId)
    }
    expect(await affected('sre')).to.have.members([own?.id, others?.id])
    expect(await affected('kaist')).to.deep.equal([own?.id])
    expect(await affected('nhn-staff')).to.deep.equal([])
    await world.platform.send('DELETE', `/v1/drains/${id}`)
  })

  it('and nodes that others have at an operator are no organisation’s business', async () => {
    const findings = async (client: string, at: string) =>
      (await (await broker.as(client)).get(`/v1/providers/${at}/reconciliation`)).as(200, Reconciliation).findings
    expect(await findings('kaist', 'kakao')).to.deep.equal([])
    expect((await findings('nhn-staff', 'nhn')).map((one) => one.providerInstanceId)).to.include(world.found.other)
  })
})
