/** `serve`, `config` and `token`: the commands that call no broker. */
import type { Command } from 'commander'
import { ConfigError, describeConfig, readConfig } from '../../config.ts'
import { issuedTokens } from '../connect.ts'
import type { Io } from '../io.ts'
import { facts } from '../screen/table.ts'
import type { Run } from './command-context.ts'

export const describeServe = (command: Command, { t }: Io): Command =>
  command.description(t('run the broker, configured by the environment, until it is told to stop'))

/** Loaded only here: the other commands need neither database nor adapters. */
export const serveBroker: Run<object> = async () => {
  const { reportStartFailure, serve } = await import('../../main.ts')
  await serve().catch(reportStartFailure)
  return undefined
}

export const describeConfigCommand = (command: Command, { t }: Io): Command =>
  command.description(t('print the broker’s configuration as the environment gives it, secrets masked'))

export const printConfig: Run<object> = async ({ io, answer }) => {
  try {
    const members = describeConfig(readConfig(io.env))
    answer(Object.fromEntries(members.map(({ name, value }) => [name, value])), (values) =>
      facts(Object.entries(values)),
    )
    return undefined
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    io.terminal.writeError(`gpu-broker: ${error.message}\n`)
    return 1
  }
}

export const describeToken = (command: Command, { t }: Io): Command =>
  command
    .description(t('print an access token; without other options, one from the sandbox’s identity provider'))
    .argument('[client]', t('the client id; default platform'))

export const printToken: Run<object> = async ({ io, options, answer }, client) => {
  const asked = client === undefined ? options : { ...options, client }
  const say = (line: string): void => (options.verbose === true ? io.terminal.writeError(`${line}\n`) : undefined)
  const token = await issuedTokens(asked, io, say).token()
  answer({ accessToken: token }, () => `${token}\n`)
  return undefined
}
