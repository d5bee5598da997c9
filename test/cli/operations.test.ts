/** The whole API by commands: what the OpenAPI document has and no command asks for fails here. */
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { type Operation, operationAt, operations } from '../client/document.ts'
import { type Loopback, startLoopback } from '../client/loopback.ts'
import { type Ran, at, cli } from './cli-world.ts'

const OPERATIONS = operations()

const RANGE = '--from 2026-12-01 --to 2026-12-08'
const FLEET = JSON.stringify({ approvals: [], allocations: [] })

/** By the operation that each is about, what a person types; single blanks separate. */
const COMMANDS: Readonly<Record<string, string>> = {
  listProviders: 'providers list',
  getProvider: 'providers get p',
  suspendProvider: 'providers suspend p --reason r',
  resumeProvider: 'providers resume p',
  listClusters: 'clusters list',
  getCluster: 'clusters get c',
  getClusterAvailability: `clusters availability c ${RANGE}`,
  suspendCluster: 'clusters suspend c',
  resumeCluster: 'clusters resume c --reason r',
  drainCluster: `drains create c --nodes 32 ${RANGE} --reason r`,
  listDrains: 'drains list c',
  getDrain: 'drains get d',
  liftDrain: 'drains lift d',
  previewPlacement: 'preview --nodes 8 --hours 1',
  putApproval: 'approvals put a --organization o --program p --priority national --max-nodes 1',
  getApproval: 'approvals get a',
  listApprovals: 'approvals list',
  revokeApproval: 'approvals revoke a',
  createAllocation: 'allocations create --approval a --name n --nodes 8 --hours 1',
  listAllocations: 'allocations list --status active',
  getAllocation: 'allocations get a',
  listAllocationNodes: 'allocations nodes a',
  listAllocationDecisions: 'allocations decisions a',
  releaseAllocation: 'allocations release a --reason finished',
  extendAllocation: 'allocations extend a --end 2027-04-01',
  shrinkAllocation: 'allocations shrink a --nodes 8',
  retryAllocation: 'allocations retry a',
  listWaitlist: 'waitlist --architecture blackwell',
  listEvents: 'events list --after 3 --types node.gone --allocation a',
  createWebhook: 'webhooks create https://example.org/hook --types node.gone',
  listWebhooks: 'webhooks list',
  getWebhook: 'webhooks get w',
  deleteWebhook: 'webhooks delete w',
  rotateWebhookSecret: 'webhooks rotate-secret w',
  listDeliveries: 'webhooks deliveries w',
  redeliver: 'webhooks redeliver w d',
  getUsage: `usage ${RANGE} --by organization`,
  closeUsagePeriod: 'usage close 2026-12',
  getSettlement: 'settlement 2026-12',
  listAudit: 'audit list --actor platform',
  getAuditChain: 'audit chain',
  getReconciliation: 'sweep show p',
  approveSweep: 'sweep approve p --reason r',
  deleteFoundNode: 'nodes delete p n',
  adoptFoundNode: 'nodes adopt p n --approval a --end 2027-01-01',
  ignoreFoundNode: 'nodes ignore p n --reason r',
  countFoundNode: 'nodes count p n',
  holdDeletes: 'hold-deletes',
  resumeDeletes: 'resume-deletes --reason r',
  freeze: 'freeze --provider p --reason r',
  unfreeze: 'unfreeze',
  importFleet: 'import fleet.json',
  reloadInventory: 'inventory reload --apply',
  setLogLevel: 'log-level debug',
  listDecisions: `decisions list ${RANGE}`,
  getDecision: 'decisions show d',
  getCalendarHead: 'calendar head',
  listCalendarLog: 'calendar log',
}

/** Whose answers hold a list. */
const LISTING = /^list|^getUsage$|^getSettlement$|^getClusterAvailability$|^getReconciliation$|^previewPlacement$/

describe('every operation of the OpenAPI document', () => {
  let server: Loopback
  before(async () => {
    server = await startLoopback((received) => {
      const { status = 404, body } = operationAt(OPERATIONS, received)?.answer ?? {}
      const isPage = typeof body === 'object' && body !== null && 'nextCursor' in body
      return status === 204 ? { status, text: '' } : { status, json: isPage ? { ...body, nextCursor: null } : body }
    })
  })
  after(() => server.close())

  const type = (line: string, lang = 'C'): Promise<Ran> => {
    const { env } = at(server.url)
    return cli(line.split(' '), { env: { ...env, LANG: lang }, files: { 'fleet.json': FLEET } })
  }
  const askedLast = (): Operation | undefined =>
    operationAt(OPERATIONS, server.received.at(-1) ?? { method: '', path: '' })

  it('is one that a command is about, and no other', () => {
    expect(Object.keys(COMMANDS).toSorted()).to.deep.equal(OPERATIONS.map((one) => one.operationId).toSorted())
  })

  for (const [operationId, line] of Object.entries(COMMANDS)) {
    it(`${operationId} is asked for by: ${line}`, async () => {
      const asTable = await type(line)
      expect(asTable, asTable.err).to.deep.include({ status: 0 })
      expect(askedLast()?.operationId).to.equal(operationId)
      expect(asTable.out).to.match(/\S\n$/)
      expect((await type(line, 'ko_KR.UTF-8')).status).to.equal(0)
      const asJson = await type(`${line} --output json`)
      expect(JSON.parse(asJson.out)).to.be.an(/^list/.test(operationId) ? 'array' : 'object')
    })

    it(`${operationId} ${LISTING.test(operationId) ? 'is answered' : 'is refused'} as CSV`, async () => {
      const before = server.received.length
      const asCsv = await type(`${line} --output csv`)
      if (LISTING.test(operationId)) {
        expect(asCsv).to.deep.include({ status: 0, err: '' })
        expect(asCsv.out).to.match(/^[\w.,]+\r\n/)
      } else {
        expect(asCsv).to.deep.include({ status: 2, out: '' })
        expect(server.received, 'asked before it was refused').to.have.length(before)
      }
    })
  }
})
