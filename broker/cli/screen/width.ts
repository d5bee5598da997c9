/** How many cells a text takes on a terminal: Korean, Chinese and Japanese characters take two, marks on others none. */
import { stripVTControlCharacters } from 'node:util'

const WIDE =
  /[\p{Script=Hangul}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60\uffe0-\uffe6]/u
const SEGMENTS = new Intl.Segmenter('ko', { granularity: 'grapheme' })

const characters = (text: string): string[] =>
  Array.from(SEGMENTS.segment(stripVTControlCharacters(text)), ({ segment }) => segment)

const cellsOf = (character: string): number => (WIDE.test(character) ? 2 : 1)

export const widthOf = (text: string): number =>
  characters(text).reduce((cells, character) => cells + cellsOf(character), 0)

/** The text, without its colours and cut to at most `cells` cells if it is longer, then with `…` at its end. */
export function cutTo(cells: number, text: string): string {
  if (widthOf(text) <= cells) return text
  let kept = ''
  let used = 0
  for (const character of characters(text)) {
    used += cellsOf(character)
    if (used > cells - 1) break
    kept += character
  }
  return `${kept}…`
}

/** Exactly `cells` cells: filled up with blanks, or cut. */
export function fitTo(cells: number, text: string): string {
  const fitting = cutTo(cells, text)
  return fitting + ' '.repeat(Math.max(0, cells - widthOf(fitting)))
}
