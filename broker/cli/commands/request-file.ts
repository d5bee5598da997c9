/** Files that options point at: requests as JSON, public keys as authorized_keys lines. */
import { type Io, UsageError } from '../io.ts'

/** @throws UsageError unless the file holds one JSON object */
export async function jsonFrom(path: string, io: Io): Promise<Readonly<Record<string, unknown>>> {
  const text = await textFrom(path, io)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new UsageError(io.t('{path} is not JSON: {why}', { path, why }), { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError(io.t('{path} must hold one JSON object', { path }))
  }
  return value as Readonly<Record<string, unknown>> // just looked at
}

/** One key per line; blank lines and comments are passed over. @throws UsageError for a file without a key */
export async function sshKeysFrom(paths: readonly string[], io: Io): Promise<readonly string[]> {
  const keys: string[] = []
  for (const path of paths) {
    const lines = (await textFrom(path, io)).split('\n').map((line) => line.trim())
    const found = lines.filter((line) => line !== '' && !line.startsWith('#'))
    if (found.some((line) => line.startsWith('-----BEGIN')))
      throw new UsageError(io.t('{path} is a private key; name the .pub file', { path }))
    if (found.length === 0) throw new UsageError(io.t('{path} holds no key', { path }))
    keys.push(...found)
  }
  return keys
}

/** @throws UsageError for a file that cannot be read */
export async function textFrom(path: string, io: Io): Promise<string> {
  try {
    return await io.readText(path)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
    throw new UsageError(io.t('{path} cannot be read ({code})', { path, code }), { cause })
  }
}
