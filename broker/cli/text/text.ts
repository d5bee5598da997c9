/**
 * The command line's own words. English stands where it is said and is the key of its Korean, so that a sentence without
 * Korean does not compile. What the broker says (statuses, codes, reasons, details) is
 * passed on as it is, but for the titles of its refusals.
 */
import type { RefusalCode } from '../../../shared/refusal.ts'
import type { Env } from '../environment.ts'
import { KOREAN } from './korean.ts'
import { KOREAN_PROBLEMS } from './korean-problems.ts'

export type Sentence = keyof typeof KOREAN

type NamesIn<S extends string> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never
type Values<S extends string> = [NamesIn<S>] extends [never] ? [] : [Readonly<Record<NamesIn<S>, string | number>>]

/** One without a place for a value: a heading, a name. */
export type Plain = { [S in Sentence]: [NamesIn<S>] extends [never] ? S : never }[Sentence]

/** Fills what stands in braces. */
export type Text = <S extends Sentence>(sentence: S, ...values: Values<S>) => string

const textFrom =
  (words: (sentence: Sentence) => string): Text =>
  (sentence, ...[values = {}]) =>
    words(sentence).replaceAll(/\{(\w+)\}/g, (_, name: string) =>
      String((values as Readonly<Record<string, unknown>>)[name]),
    )

export const english: Text = textFrom((sentence) => sentence)
export const korean: Text = textFrom((sentence) => KOREAN[sentence])

/** As other programs choose: the first of these that is set decides. */
export function textFor(env: Env): Text {
  const locale = [env['LC_ALL'], env['LC_MESSAGES'], env['LANG']].find((value) => value !== undefined && value !== '')
  return /^ko(?:[_.@-]|$)/i.test(locale ?? '') ? korean : english
}

/** A text that somebody else made in English, where it is one of these sentences; else as it is. */
export function reworded(t: Text, sentences: readonly Sentence[], text: string): string {
  for (const sentence of sentences) {
    const found = patternOf(sentence).exec(text)
    // The names and the values are those of the very sentence.
    if (found !== null) return (t as (one: Sentence, values: object) => string)(sentence, found.groups ?? {})
  }
  return text
}

/** Every other part is a name. */
function patternOf(sentence: Sentence): RegExp {
  const parts = sentence.split(/\{(\w+)\}/)
  const pattern = parts.map((part, index) => (index % 2 === 1 ? `(?<${part}>[^]+?)` : escaped(part)))
  return new RegExp(`^${pattern.join('')}$`)
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)

/** A refusal's title; that of a code which a newer broker has stays as it says it. */
export const titleIn = (t: Text, { code, title }: { readonly code: string; readonly title: string }): string =>
  t === korean && Object.hasOwn(KOREAN_PROBLEMS, code) ? KOREAN_PROBLEMS[code as RefusalCode] : title
