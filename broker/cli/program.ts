/** The command line as a whole: its commands, the options that all share, and how it ends. */
import { Command, CommanderError } from 'commander'
import * as allocations from './commands/allocations.ts'
import * as approvals from './commands/approvals.ts'
import * as audit from './commands/audit.ts'
import { clusters, describeClusters } from './commands/clusters.ts'
import { type Run, act } from './commands/command-context.ts'
import { conformance, describeConformance } from './commands/conformance.ts'
import { createAllocation, describeCreate } from './commands/create-allocation.ts'
import * as decisions from './commands/decisions.ts'
import { describeInventoryReload, reloadInventory } from './commands/inventory.ts'
import * as local from './commands/local.ts'
import * as reconciliation from './commands/reconciliation.ts'
import { describeImport, importFile } from './commands/import-file.ts'
import { describePreview, preview } from './commands/preview.ts'
import { describeSimulate, simulateTrace } from './commands/simulate.ts'
import * as store from './commands/store.ts'
import * as usage from './commands/usage.ts'
import { describeWatch, watchAllocation } from './commands/watch.ts'
import { EXIT, failureOf } from './failure.ts'
import type { Io } from './io.ts'

/**
 * @param args without the program itself
 * @returns the exit status: 0, or one of `EXIT`
 */
export async function run(args: readonly string[], io: Io): Promise<number> {
  let exitCode: number = EXIT.ok
  const program = build(io, (code) => {
    exitCode = code
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    // Commander has said what it has to say; asking for help is no error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    if (io.signal.aborted) return EXIT.interrupted
    const failure = failureOf(error, { json: args.includes('--json') })
    if (failure === null) throw error
    io.terminal.writeError(failure.text)
    return failure.exitCode
  }
}

function build(io: Io, done: (exitCode: number) => void): Command {
  const program = new Command('gpu-broker')
    .description('Places approved GPU allocations on a country’s clusters, and sees to it that they run there.')
    .option('--url <url>', 'the broker (GPU_BROKER_URL; default http://127.0.0.1:8080)')
    .option('--token <token>', 'an access token (GPU_BROKER_TOKEN)')
    .option('--client <id>', 'whose token to fetch (GPU_BROKER_CLIENT; default platform)')
    .option('--client-secret <secret>', 'better in GPU_BROKER_CLIENT_SECRET, where no process list shows it')
    .option('--issuer <url>', 'who issues it (GPU_BROKER_ISSUER; default the sandbox’s identity provider)')
    .option('--scope <scopes>', 'ask for these scopes only')
    .option('--json', 'answer as JSON')
    .option('--verbose', 'say whom it calls, and what is tried again')
    .showHelpAfterError('(--help shows what there is)')
  const output = { writeOut: io.terminal.write, writeErr: io.terminal.writeError }
  const settled = (command: Command): Command => command.exitOverride().configureOutput(output)
  settled(program)

  const add = <O>(
    parent: Command,
    name: string,
    describe: (command: Command, io: Io) => Command,
    run: Run<O>,
    options: { readonly isDefault?: boolean } = {},
  ): void => {
    act(describe(settled(parent.command(name, options)), io), io, run, done)
  }
  add(program, 'serve', local.describeServe, local.serveBroker)
  add(program, 'config', local.describeConfigCommand, local.printConfig)
  add(program, 'migrate', store.describeMigrate, store.migrateStore)
  add(program, 'backup', store.describeBackup, store.backUpStore)
  add(program, 'restore', store.describeRestore, store.restoreStore)
  add(program, 'token', local.describeToken, local.printToken)
  add(program, 'conformance', describeConformance, conformance)
  add(program, 'clusters', describeClusters, clusters)
  add(program, 'preview', describePreview, preview)
  add(program, 'import', describeImport, importFile)
  add(program, 'simulate', describeSimulate, simulateTrace)

  const approvalCommands = settled(program.command('approvals').description('who may have how much, until when'))
  add(approvalCommands, 'put', approvals.describePut, approvals.putApproval)
  add(approvalCommands, 'get', approvals.describeGet, approvals.getApproval)
  add(approvalCommands, 'list', approvals.describeList, approvals.listApprovals)

  const allocationCommands = settled(program.command('allocations').description('nodes for a time, under an approval'))
  add(allocationCommands, 'create', describeCreate, createAllocation)
  add(allocationCommands, 'list', allocations.describeList, allocations.listAllocations)
  add(allocationCommands, 'get', allocations.describeGet, allocations.getAllocation)
  add(allocationCommands, 'nodes', allocations.describeNodes, allocations.listNodes)
  add(allocationCommands, 'release', allocations.describeRelease, allocations.releaseAllocation)
  add(allocationCommands, 'watch', describeWatch, watchAllocation)
  const decisionCommands = settled(program.command('decisions').description('what was decided, and why'))
  add(decisionCommands, 'verify', decisions.describeVerify, decisions.verify)
  add(decisionCommands, 'show', decisions.describeShow, decisions.show)
  const sweepCommands = settled(
    program.command('sweep').description('what operators list, compared with what is known'),
  )
  add(sweepCommands, 'show', reconciliation.describeShow, reconciliation.showSweep)
  add(sweepCommands, 'approve', reconciliation.describeApprove, reconciliation.approveSweep)
  const nodeCommands = settled(program.command('nodes').description('nodes that a sweep has found'))
  add(nodeCommands, 'adopt', reconciliation.describeAdopt, reconciliation.adoptNode)
  add(nodeCommands, 'delete', reconciliation.describeDelete, reconciliation.deleteNode)
  add(nodeCommands, 'ignore', reconciliation.describeIgnore, reconciliation.ignoreNode)
  add(nodeCommands, 'count', reconciliation.describeCount, reconciliation.countNode)
  add(program, 'hold-deletes', reconciliation.describeHold, reconciliation.holdDeletes)
  add(program, 'resume-deletes', reconciliation.describeResume, reconciliation.resumeDeletes)
  const inventoryCommands = settled(program.command('inventory').description('which clusters there are, and from when'))
  add(inventoryCommands, 'reload', describeInventoryReload, reloadInventory)
  const usageCommands = settled(program.command('usage').description('hours reserved and active, and closing months'))
  add(usageCommands, 'show', usage.describeUsage, usage.showUsage, { isDefault: true })
  add(usageCommands, 'close', usage.describeClose, usage.closeMonth)
  add(program, 'settlement', usage.describeSettlement, usage.showSettlement)
  const auditCommands = settled(program.command('audit').description('who asked for what change'))
  add(auditCommands, 'list', audit.describeAuditList, audit.listAudit)
  add(auditCommands, 'verify', audit.describeVerify, audit.verifyAudit)
  add(program, 'waitlist', allocations.describeWaitlist, allocations.listWaitlist)
  return program
}
