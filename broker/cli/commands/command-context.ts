/** What each command's action is built from: a client, and a way to answer people or programs. */
import type { Command } from 'commander'
import type { Client } from '../../client/client.ts'
import { type ConnectOptions, connect } from '../connect.ts'
import type { Io } from '../io.ts'
import { type Column, table } from '../screen/table.ts'

export interface GlobalOptions extends ConnectOptions {
  readonly json?: boolean
}

export interface CommandContext<O> {
  readonly io: Io
  readonly client: Client
  readonly options: O & GlobalOptions
  /** Tells a program the value whole, a person what `text` makes of it. */
  answer<T>(value: T, text: (value: T) => string): void
  /** A list, as a table; a sentence when it is empty. */
  answerList<T>(rows: readonly T[], columns: readonly Column<T>[], whenEmpty: string): void
}

/** @param run its exit status is 0 unless it returns another */
export type Run<O> = (context: CommandContext<O>, ...args: string[]) => Promise<number | undefined>

/** Attaches `run` to a command. Commander hands an action its arguments, then its options, then the command. */
export function act<O>(command: Command, io: Io, run: Run<O>, done: (exitCode: number) => void): Command {
  return command.action(async (...given: unknown[]) => {
    // An argument that may be left out is undefined then, not absent.
    const args = given.slice(0, -2).filter((one) => typeof one === 'string')
    const options = command.optsWithGlobals<O & GlobalOptions>() // as the command declares them
    done((await run(contextOf(options, io), ...args)) ?? 0)
  })
}

function contextOf<O>(options: O & GlobalOptions, io: Io): CommandContext<O> {
  const { write } = io.terminal
  const answer = <T>(value: T, text: (value: T) => string): void =>
    write(options.json === true ? `${JSON.stringify(value, null, 2)}\n` : text(value))
  let client: Client | null = null
  return {
    io,
    options,
    // Not before it is used: `token` needs no broker.
    get client() {
      client ??= connect(options, io)
      return client
    },
    answer,
    answerList: (rows, columns, whenEmpty) =>
      answer(rows, () => (rows.length === 0 ? `${whenEmpty}\n` : table(columns, rows))),
  }
}
