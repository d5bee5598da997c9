/** The pages of docs/runbooks, and the commands in them. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../run-part.ts'

export type Language = 'en' | 'ko'

const FOLDER = join(ROOT, 'docs', 'runbooks')

const slugs = (end: string): readonly string[] =>
  globSync('*.md', { cwd: FOLDER })
    .filter((name) => /^[a-z][a-z-]*(\.ko)?\.md$/.test(name) && name.replace(/^[a-z-]+/, '') === end)
    .map((name) => name.slice(0, -end.length))
    .toSorted()

/** Slugs of the pages that there are. */
export const PAGES: Readonly<Record<Language, readonly string[]>> = { en: slugs('.md'), ko: slugs('.ko.md') }

export const pageFile = (slug: string, language: Language): string =>
  readFileSync(join(FOLDER, `${slug}${language === 'ko' ? '.ko' : ''}.md`), 'utf8')

/** What each page wants to be pasted first. */
export const setUpBlocks = (): readonly string[] => shellBlocks(readFileSync(join(FOLDER, 'README.md'), 'utf8'))

/** Blocks marked `sh`: they can be run as they stand. Those marked `console` want an id. */
export const shellBlocks = (page: string): readonly string[] =>
  [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block)
