/** The command line as a whole: the options that all commands share, and how it ends. */
import { Command, CommanderError, Option } from 'commander'
import { BROKER_VERSION } from '../version.ts'
import { addCommands } from './commands/all.ts'
import { OUTPUTS, outputOf } from './commands/command-context.ts'
import { EXIT, failureOf } from './failure.ts'
import { helpIn, saidByCommander } from './help.ts'
import type { Io, World } from './io.ts'
import { textFor } from './text/text.ts'

/**
 * @param args without the program itself
 * @returns the exit status: 0, or one of `EXIT`
 */
export async function run(args: readonly string[], world: World): Promise<number> {
  const io = { ...world, t: textFor(world.env) }
  let exitCode: number = EXIT.ok
  const program = programIn(io)
  addCommands(program, io, (code) => {
    exitCode = code
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    // Commander has said what it has to say; asking for help is no error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    if (io.signal.aborted) return EXIT.interrupted
    const failure = failureOf(error, { json: outputOf(program.opts()) === 'json', t: io.t })
    if (failure === null) throw error
    io.terminal.writeError(failure.text)
    return failure.exitCode
  }
}

/** What is set here holds for all commands below. */
function programIn(io: Io): Command {
  const { t, terminal } = io
  return new Command('gpu-broker')
    .description(t('Places approved GPU allocations on a country’s clusters, and sees to it that they run there.'))
    .option('--url <url>', t('the broker (GPU_BROKER_URL; default http://127.0.0.1:8080)'))
    .option('--token <token>', t('an access token (GPU_BROKER_TOKEN)'))
    .option('--client <id>', t('whose token to fetch (GPU_BROKER_CLIENT; default platform)'))
    .option('--client-secret <secret>', t('better in GPU_BROKER_CLIENT_SECRET, where no process list shows it'))
    .option('--issuer <url>', t('who issues it (GPU_BROKER_ISSUER; default the sandbox’s identity provider)'))
    .option('--scope <scopes>', t('ask for these scopes only'))
    .addOption(new Option('--output <form>', t('table for people, json for programs, csv for lists')).choices(OUTPUTS))
    .addOption(new Option('--json', t('short for --output json')).conflicts('output'))
    .option('--verbose', t('say whom it calls, and what is tried again'))
    .showHelpAfterError(t('(--help shows what there is)'))
    .version(BROKER_VERSION, '-V, --version', t('show which release this is'))
    .helpOption('-h, --help', t('show this'))
    .helpCommand('help [command]', t('show what a command takes'))
    .configureHelp(helpIn(t))
    .configureOutput({
      writeOut: terminal.write,
      writeErr: terminal.writeError,
      outputError: (text, write) => write(saidByCommander(t, text)),
    })
    .exitOverride()
    .addHelpText('after', `\n${exitStatuses(io)}`)
}

const exitStatuses = ({ t }: Io): string =>
  [
    t('Exit status:'),
    `    0  ${t('done')}`,
    `    1  ${t('the broker refused, or what was waited for did not come')}`,
    `    2  ${t('the command cannot mean anything')}`,
    `    3  ${t('nobody answered, or there was no token')}`,
    `  130  ${t('interrupted')}`,
  ].join('\n')
