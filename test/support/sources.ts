/**
 * The sources as texts and as imports, read by regular expressions: TypeScript 7 has no programming interface yet, and
 * what cannot read our files must not be what says that they are in order.
 */
import { globSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Source {
  /** From the repository's root: `broker/core/timeline.ts`. */
  readonly file: string
  /** Without comments. */
  readonly code: string
  readonly imports: readonly Import[]
}

export interface Import {
  /** A file from the repository's root, a package's name, or a module of Node's: `node:fs`. */
  readonly of: string
  /** Nothing of it is left when the types are stripped. */
  readonly typesOnly: boolean
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export const readSources = (folders: readonly string[]): readonly Source[] =>
  folders
    .flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: ROOT }))
    .toSorted()
    .map((file) => parseSource(file, readFileSync(`${ROOT}/${file}`, 'utf8')))

export function parseSource(file: string, text: string): Source {
  const code = withoutComments(text)
  return { file, code, imports: importsOf(file, code) }
}

// A string is matched whole, so that what looks like a comment inside one stays.
const STRING = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/
const STRING_OR_COMMENT = new RegExp(`(${STRING.source})|/\\*[\\s\\S]*?\\*/|//[^\\n]*`, 'g')

const withoutComments = (text: string): string =>
  text.replaceAll(STRING_OR_COMMENT, (_whole, string: string | undefined) => string ?? ' ')

/** For rules about words of the language, which a text may well contain. What a template computes stays. */
export const withoutStrings = (code: string): string =>
  code.replaceAll(new RegExp(STRING, 'g'), (string) =>
    string.startsWith('`') ? (string.match(/\$\{[^}]*\}/g) ?? []).join(' ') : "''",
  )

const FROM =
  /^\s*(?:import|export)\b(?<what>\s*(?:type\b\s*)?(?:[\w$]+\s*,?\s*)?(?:\*(?:\s*as\s+[\w$]+)?|\{[^}]*\})?\s*)\bfrom\s*['"](?<from>[^'"]+)['"]/gm
const BARE = /^\s*import\s*['"](?<from>[^'"]+)['"]/gm
const AT_RUN_TIME = /\b(?:import|require|import\.meta\.resolve)\s*\(\s*['"`](?<from>[^'"`]+)['"`]/g

function importsOf(file: string, code: string): readonly Import[] {
  const found: Import[] = []
  for (const pattern of [FROM, BARE, AT_RUN_TIME]) {
    for (const { groups } of code.matchAll(pattern)) {
      const from = groups?.['from']
      if (from !== undefined) found.push({ of: resolved(file, from), typesOnly: onlyTypes(groups?.['what'] ?? '') })
    }
  }
  return found
}

/** `type { A }`, or `{ type A, type B }`. */
function onlyTypes(what: string): boolean {
  if (/^\s*type\b/.test(what)) return true
  const names = /^\s*\{([^}]*)\}\s*$/.exec(what)?.[1]
  if (names === undefined) return false
  return names
    .split(',')
    .filter((name) => name.trim() !== '')
    .every((name) => /^\s*type\s/.test(name))
}

function resolved(file: string, from: string): string {
  if (from.startsWith('.')) return posix.join(posix.dirname(file), from)
  if (from.startsWith('node:')) return from
  const [first = '', second = ''] = from.split('/')
  return first.startsWith('@') ? `${first}/${second}` : first
}
