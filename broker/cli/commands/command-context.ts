/** What each command's action is built from: a client, and a way to answer people or programs. */
import type { Command } from 'commander'
import type { z } from 'zod'
import type { Client } from '../../client/client.ts'
import { type ConnectOptions, connect } from '../connect.ts'
import { type Io, UsageError } from '../io.ts'
import { type Sheet, sheetOf, sheetText } from '../sheet.ts'
import type { Plain, Text } from '../text/text.ts'
import { type Column, tableIn } from './listing.ts'

export const OUTPUTS = ['table', 'json', 'csv'] as const
export type Output = (typeof OUTPUTS)[number]

interface GivenOptions extends ConnectOptions {
  readonly output?: Output
  readonly json?: boolean
}

export interface GlobalOptions extends ConnectOptions {
  readonly output: Output
}

export interface CommandContext<O> {
  readonly io: Io
  readonly t: Text
  readonly client: Client
  readonly options: O & GlobalOptions
  /** Tells a program the value whole, a person what `text` makes of it. */
  answer<T>(value: T, text: (value: T) => string): void
  /** As `answer`, for what holds a list that may also be asked for as CSV. */
  answerSheet<T>(value: T, sheet: () => Sheet, text: (value: T) => string): void
  /** A list, as a table; a sentence when it is empty. */
  answerList<T extends object>(rows: readonly T[], list: List<T>): void
}

export interface List<T> {
  /** What each row is, as the API describes it: the columns of `--output csv`. */
  readonly schema: z.ZodObject
  readonly columns: readonly Column<T>[]
  readonly whenEmpty: Plain
}

/** @param run its exit status is 0 unless it returns another */
export type Run<O> = (context: CommandContext<O>, ...args: string[]) => Promise<number | undefined>

export const outputOf = ({ output, json }: Pick<GivenOptions, 'output' | 'json'>): Output =>
  output ?? (json === true ? 'json' : 'table')

export interface Acting<O> {
  readonly io: Io
  readonly run: Run<O>
  /** Whether its answer is, or holds, a list: what `--output csv` is for. */
  readonly lists: boolean
  /** Told the exit status. */
  readonly done: (exitCode: number) => void
}

/** Attaches `run` to a command. Commander hands an action its arguments, then its options, then the command. */
export function act<O>(command: Command, { io, run, lists, done }: Acting<O>): Command {
  return command.action(async (...given: unknown[]) => {
    // An argument that may be left out is undefined then, not absent.
    const args = given.slice(0, -2).filter((one) => typeof one === 'string')
    const options = command.optsWithGlobals<O & GivenOptions>() // as the command declares them
    const output = outputOf(options)
    // Before anything is done: the answer would come too late to be refused.
    if (output === 'csv' && !lists) throw new UsageError(io.t('--output csv is for lists; this answers with one thing'))
    done((await run(contextOf({ ...options, output }, io), ...args)) ?? 0)
  })
}

function contextOf<O>(options: O & GlobalOptions, io: Io): CommandContext<O> {
  const { terminal, t } = io
  const answerSheet: CommandContext<O>['answerSheet'] = (value, sheet, text) => {
    if (options.output === 'csv') terminal.write(sheetText(sheet()))
    else terminal.write(options.output === 'json' ? `${JSON.stringify(value, null, 2)}\n` : text(value))
  }
  let client: Client | null = null
  return {
    io,
    t,
    options,
    // Not before it is used: `token` needs no broker.
    get client() {
      client ??= connect(options, io)
      return client
    },
    answer: (value, text) => answerSheet(value, () => ({ columns: [], rows: [] }), text),
    answerSheet,
    answerList: (rows, { schema, columns, whenEmpty }) =>
      answerSheet(
        rows,
        () => sheetOf(schema, rows),
        () => (rows.length === 0 ? `${t(whenEmpty)}\n` : tableIn(t, columns, rows)),
      ),
  }
}
