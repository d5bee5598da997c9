/** What commander says by itself, in the user's language, and with columns that hold wide characters. */
import { Help, type HelpConfiguration, type Option } from 'commander'
import { widthOf } from './screen/width.ts'
import { type Plain, type Sentence, type Text, reworded } from './text/text.ts'

const TITLES: readonly Plain[] = ['Usage:', 'Arguments:', 'Options:', 'Global Options:', 'Commands:']

export const helpIn = (t: Text): HelpConfiguration => ({
  showGlobalOptions: true,
  displayWidth: widthOf,
  styleTitle: (title) => reworded(t, TITLES, title),
  optionDescription: (option: Option) =>
    new Help()
      .optionDescription(option)
      .replace('(choices: ', `(${t('choices:')} `)
      .replace(/([(,] ?)default: /, (_, before: string) => `${before}${t('default:')} `),
})

const ERRORS: readonly Sentence[] = [
  'error: unknown option {option}',
  'error: unknown command {command}',
  'error: missing required argument {name}',
  'error: required option {option} not specified',
  'error: option {option} argument missing',
  'error: option {option} argument {value} is invalid. {why}',
  'error: option {option} cannot be used with option {other}',
  'error: too many arguments for {command}. Expected {expected} but got {got}.',
  'error: command-argument value {value} is invalid for argument {name}. {why}',
  '(Did you mean {command}?)',
]
const CHOICES: readonly Sentence[] = ['Allowed choices are {choices}.']

/** @param text with its line break; where commander guesses what was meant, that is a second line */
export function saidByCommander(t: Text, text: string): string {
  return text
    .split('\n')
    .map((line) =>
      reworded(
        t,
        ERRORS,
        line.replace(/Allowed choices are .+\./, (why) => reworded(t, CHOICES, why)),
      ),
    )
    .join('\n')
}
