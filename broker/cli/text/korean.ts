/** The Korean of every sentence that the command line says, by its English. */
import { KOREAN_COMMANDS } from './korean-commands.ts'
import { KOREAN_HEADINGS } from './korean-headings.ts'
import { KOREAN_OPTIONS } from './korean-options.ts'
import { KOREAN_SENTENCES } from './korean-sentences.ts'

export const KOREAN = {
  ...KOREAN_COMMANDS,
  ...KOREAN_OPTIONS,
  ...KOREAN_HEADINGS,
  ...KOREAN_SENTENCES,
} as const
