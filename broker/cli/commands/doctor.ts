/** `doctor`: what is not well with what the environment configures, and what to do about it. */
import type { Command } from 'commander'
import type { Examined } from '../../doctor/check.ts'
import { EXIT } from '../failure.ts'
import type { Io } from '../io.ts'
import { type Paint, paintFor } from '../screen/terminal.ts'
import type { Run } from './command-context.ts'
import { type Column, tableIn } from './listing.ts'

export const describeDoctor = (command: Command, { t }: Io): Command =>
  command.description(
    t('look at configuration, database, issuer and every operator as the environment has them, and say what to do'),
  )

export const examine: Run<object> = async ({ io, answer, t }) => {
  // Loaded only here: it brings database and adapters along.
  const { examineAll } = await import('../../main.ts')
  const examined = await examineAll({ env: io.env, signal: io.signal })
  const countOf = (wanted: Examined['state']): number => examined.filter(({ state }) => state === wanted).length
  const counts = { ok: countOf('ok'), warn: countOf('warn'), fail: countOf('fail') }
  answer(
    examined,
    (all) =>
      `${tableIn(t, columnsWith(paintFor(io.terminal)), all)}\n${t('{ok} ok, {warn} to know, {fail} to mend', counts)}\n`,
  )
  return counts.fail > 0 ? EXIT.refused : EXIT.ok
}

const COLOUR = { ok: 'green', warn: 'yellow', fail: 'red' } as const

const columnsWith = (paint: Paint): readonly Column<Examined>[] => [
  { head: 'state', value: ({ state }) => paint(COLOUR[state], state) },
  { head: 'of', value: ({ of }) => of },
  { head: 'check', value: ({ check }) => check },
  { head: 'found', value: ({ found, advice }) => (advice === null ? found : `${found}\n→ ${advice}`) },
]
