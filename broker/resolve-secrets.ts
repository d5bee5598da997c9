/** Configured files name secrets instead of holding them: `env:NAME` and `file:/path`, wherever a text begins with one. */
import { readFileSync } from 'node:fs'

export interface SecretsOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** @param sentence names the variable or the file, never what is in it */
  readonly fail: (sentence: string) => Error
}

/** @returns the same value, however deep, with the secrets in their places */
export function resolveSecrets(value: unknown, options: SecretsOptions): unknown {
  if (Array.isArray(value)) return value.map((item) => resolveSecrets(item, options))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, resolveSecrets(member, options)]))
  }
  if (typeof value !== 'string') return value
  if (value.startsWith('env:')) return variable(value.slice(4), options)
  return value.startsWith('file:') ? secretFile(value.slice(5), options) : value
}

function variable(name: string, { env, fail }: SecretsOptions): string {
  const value = env[name]
  if (value === undefined || value === '') throw fail(`${name} must be set in the environment`)
  return value
}

function secretFile(path: string, { fail }: SecretsOptions): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw fail(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`)
  }
}
