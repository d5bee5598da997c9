/** Every command, in the order in which `--help` shows them. `test/cli/operations.test.ts` holds the API to it. */
import type { Command } from 'commander'
import type { Io } from '../io.ts'
import type { Plain } from '../text/text.ts'
import * as allocations from './allocations.ts'
import * as approvals from './approvals.ts'
import * as audit from './audit.ts'
import * as calendar from './calendar.ts'
import * as changes from './change-allocation.ts'
import * as clusters from './clusters.ts'
import { type Run, act } from './command-context.ts'
import { describeCompletion, printCompletion } from './completion.ts'
import { conformance, describeConformance } from './conformance.ts'
import { createAllocation, describeCreate } from './create-allocation.ts'
import * as decisions from './decisions.ts'
import { describeDoctor, examine } from './doctor.ts'
import * as drains from './drains.ts'
import * as events from './events.ts'
import { describeImport, importFile } from './import-file.ts'
import * as inventory from './inventory.ts'
import * as local from './local.ts'
import * as operations from './operations.ts'
import { describePreview, preview } from './preview.ts'
import * as providers from './providers.ts'
import * as reconciliation from './reconciliation.ts'
import { describeSimulate, simulateTrace } from './simulate.ts'
import * as store from './store.ts'
import * as usage from './usage.ts'
import { describeWatch, watchAllocation } from './watch.ts'
import * as webhooks from './webhooks.ts'

type Add = <O>(
  name: string,
  describe: (command: Command, io: Io) => Command,
  run: Run<O>,
  options?: { readonly isDefault?: boolean; readonly lists?: boolean },
) => void

interface Commands {
  readonly add: Add
  readonly group: (name: string, description: Plain) => Add
}

/** Its answer is, or holds, a list: `--output csv` is for these. */
const LISTS = { lists: true } as const
/** What the name of its group alone means, too. */
const LISTS_BY_DEFAULT = { lists: true, isDefault: true } as const

export function addCommands(program: Command, io: Io, done: (exitCode: number) => void): void {
  const adding =
    (parent: Command): Add =>
    (name, describe, run, { isDefault = false, lists = false } = {}) =>
      void act(describe(parent.command(name, { isDefault }), io), { io, run, lists, done })
  const commands: Commands = {
    add: adding(program),
    group: (name, description) => adding(program.command(name).description(io.t(description))),
  }
  addLocal(commands)
  addCatalogue(commands)
  addAllocations(commands)
  addEvents(commands)
  addOperations(commands)
  addRecords(commands)
  commands.add('completion', describeCompletion, printCompletion(program))
}

function addLocal({ add }: Commands): void {
  add('serve', local.describeServe, local.serveBroker)
  add('doctor', describeDoctor, examine)
  add('migrate', store.describeMigrate, store.migrateStore)
  add('backup', store.describeBackup, store.backUpStore)
  add('restore', store.describeRestore, store.restoreStore)
  add('config', local.describeConfigCommand, local.printConfig)
  add('token', local.describeToken, local.printToken)
  add('conformance', describeConformance, conformance)
  add('simulate', describeSimulate, simulateTrace)
}

function addCatalogue({ add, group }: Commands): void {
  const provider = group('providers', 'the operators, how they are, and whether anything is placed there')
  provider('list', providers.describeList, providers.listProviders, LISTS_BY_DEFAULT)
  provider('get', providers.describeGet, providers.getProvider)
  provider('suspend', providers.describeSuspend, providers.suspendProvider)
  provider('resume', providers.describeResume, providers.resumeProvider)
  const cluster = group('clusters', 'what there is, what is free when, and whether anything is placed there')
  cluster('list', clusters.describeList, clusters.listClusters, LISTS_BY_DEFAULT)
  cluster('get', clusters.describeGet, clusters.getCluster)
  cluster('availability', clusters.describeAvailability, clusters.showAvailability, LISTS)
  cluster('suspend', clusters.describeSuspend, clusters.suspendCluster)
  cluster('resume', clusters.describeResume, clusters.resumeCluster)
  const drain = group('drains', 'nodes of a cluster that are out of service for a time')
  drain('create', drains.describeCreate, drains.createDrain)
  drain('list', drains.describeList, drains.listDrains, LISTS)
  drain('get', drains.describeGet, drains.getDrain)
  drain('lift', drains.describeLift, drains.liftDrain)
  add('preview', describePreview, preview, LISTS)
}

function addAllocations({ add, group }: Commands): void {
  const approval = group('approvals', 'who may have how much, until when')
  approval('put', approvals.describePut, approvals.putApproval)
  approval('get', approvals.describeGet, approvals.getApproval)
  approval('list', approvals.describeList, approvals.listApprovals, LISTS)
  approval('revoke', approvals.describeRevoke, approvals.revokeApproval)
  const allocation = group('allocations', 'nodes for a time, under an approval')
  allocation('create', describeCreate, createAllocation)
  allocation('list', allocations.describeList, allocations.listAllocations, LISTS)
  allocation('get', allocations.describeGet, allocations.getAllocation)
  allocation('nodes', allocations.describeNodes, allocations.listNodes, LISTS)
  allocation('decisions', allocations.describeDecisions, allocations.listDecisions, LISTS)
  allocation('watch', describeWatch, watchAllocation)
  allocation('release', changes.describeRelease, changes.releaseAllocation)
  allocation('extend', changes.describeExtend, changes.extendAllocation)
  allocation('shrink', changes.describeShrink, changes.shrinkAllocation)
  allocation('retry', changes.describeRetry, changes.retryAllocation)
  add('waitlist', allocations.describeWaitlist, allocations.listWaitlist, LISTS)
}

function addEvents({ group }: Commands): void {
  const event = group('events', 'what happened, in one order, and what happens next')
  event('list', events.describeList, events.listEvents, LISTS_BY_DEFAULT)
  event('stream', events.describeStream, events.streamEvents, LISTS)
  const webhook = group('webhooks', 'endpoints that events are sent to')
  webhook('create', webhooks.describeCreate, webhooks.createWebhook)
  webhook('list', webhooks.describeList, webhooks.listWebhooks, LISTS)
  webhook('get', webhooks.describeGet, webhooks.getWebhook)
  webhook('delete', webhooks.describeDelete, webhooks.deleteWebhook)
  webhook('rotate-secret', webhooks.describeRotate, webhooks.rotateSecret)
  webhook('deliveries', webhooks.describeDeliveries, webhooks.listDeliveries, LISTS)
  webhook('redeliver', webhooks.describeRedeliver, webhooks.redeliver)
}

function addOperations({ add, group }: Commands): void {
  const sweep = group('sweep', 'what operators list, compared with what is known')
  sweep('show', reconciliation.describeShow, reconciliation.showSweep, LISTS)
  sweep('approve', reconciliation.describeApprove, reconciliation.approveSweep)
  const node = group('nodes', 'nodes that a sweep has found')
  node('adopt', reconciliation.describeAdopt, reconciliation.adoptNode)
  node('delete', reconciliation.describeDelete, reconciliation.deleteNode)
  node('ignore', reconciliation.describeIgnore, reconciliation.ignoreNode)
  node('count', reconciliation.describeCount, reconciliation.countNode)
  add('freeze', operations.describeFreeze, operations.freeze)
  add('unfreeze', operations.describeUnfreeze, operations.unfreeze)
  add('hold-deletes', operations.describeHold, operations.holdDeletes)
  add('resume-deletes', operations.describeResume, operations.resumeDeletes)
  group('inventory', 'which clusters there are, and from when')(
    'reload',
    inventory.describeReload,
    inventory.reloadInventory,
  )
  add('import', describeImport, importFile)
  add('log-level', operations.describeLogLevel, operations.setLogLevel)
}

function addRecords({ add, group }: Commands): void {
  const decision = group('decisions', 'what was decided, and why')
  decision('list', decisions.describeList, decisions.listDecisions, LISTS)
  decision('show', decisions.describeShow, decisions.show)
  decision('verify', decisions.describeVerify, decisions.verify)
  const log = group('calendar', 'what decisions followed from')
  log('head', calendar.describeHead, calendar.showHead)
  log('log', calendar.describeLog, calendar.listLog, LISTS)
  const hours = group('usage', 'hours reserved and active, and closing months')
  hours('show', usage.describeUsage, usage.showUsage, LISTS_BY_DEFAULT)
  hours('close', usage.describeClose, usage.closeMonth)
  add('settlement', usage.describeSettlement, usage.showSettlement, LISTS)
  const trail = group('audit', 'who asked for what change')
  trail('list', audit.describeList, audit.listAudit, LISTS)
  trail('chain', audit.describeChain, audit.showChain)
  trail('verify', audit.describeVerify, audit.verifyAudit)
}
