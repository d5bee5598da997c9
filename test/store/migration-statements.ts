/** What a migration would run, without a database: its statements as PostgreSQL would get them. */
import { createHash } from 'node:crypto'
import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely'
import type { Migration } from 'kysely/migration'

export async function statementsOf(migration: Migration): Promise<readonly string[]> {
  const statements: string[] = []
  const db = new Kysely<unknown>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (of) => new PostgresIntrospector(of),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
    log: ({ query }) => void statements.push(query.sql.replaceAll(/\s+/g, ' ').trim()),
  })
  await migration.up(db)
  await db.destroy()
  return statements
}

/** Comments and layout may change; what runs may not. */
export const digestOf = (statements: readonly string[]): string =>
  createHash('sha256').update(statements.join('\n')).digest('hex')

interface Forbidden {
  readonly pattern: RegExp
  readonly because: string
}

/** What the version before could not live with, while both run or after a step back. */
const FORBIDDEN: readonly Forbidden[] = [
  { pattern: /\bdrop (?:table|column|constraint|schema|type)\b/, because: 'it takes away what it reads' },
  { pattern: /\brename\b/, because: 'it asks by the old name' },
  { pattern: /\bset not null\b/, because: 'it may write null there' },
  { pattern: /\bdrop not null\b/, because: 'it reads a value there' },
  { pattern: /\balter (?:column )?\w+ (?:set data )?type\b/, because: 'it reads and writes the old type' },
  { pattern: /\bdrop default\b/, because: 'it leaves the column out when it writes' },
  { pattern: /\btruncate\b|\bdelete from\b/, because: 'it still reads those rows' },
]

/** Why the version before could not live with it, statement by statement; empty when it can. */
export function breachesIn(statements: readonly string[]): readonly string[] {
  const made = new Set(statements.flatMap((one) => /^create table (\w+)/.exec(one)?.[1] ?? []))
  return statements.flatMap((statement) => {
    const text = statement.toLowerCase()
    const reasons = FORBIDDEN.filter(({ pattern }) => pattern.test(text)).map(({ because }) => because)
    const table = /^(?:alter table|create unique index \w+ on) (\w+)/.exec(text)?.[1] ?? ''
    if (!made.has(table)) {
      if (/^create unique index/.test(text) || /\badd (?:constraint|unique|check|primary|foreign)\b/.test(text)) {
        reasons.push('it may write what the new rule refuses')
      }
      for (const [column] of text.matchAll(/add column [^,]+(?:,|$)/g)) {
        if (/\bnot null\b/.test(column) && !/\bdefault\b/.test(column)) reasons.push('it leaves the new column out')
        if (/\b(?:unique|references|check)\b/.test(column)) reasons.push('it may write what the new rule refuses')
      }
    }
    return reasons.map((because) => `${statement.slice(0, 120)}: the version before cannot live with it, ${because}`)
  })
}
