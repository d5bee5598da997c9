/** The identity provider's signing keys: kept on disk, so that a token issued before a restart still verifies after it. */
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** A private ES256 key as a JWK. */
export interface SigningKey {
  readonly kty: 'EC'
  readonly crv: 'P-256'
  readonly x: string
  readonly y: string
  readonly d: string
  readonly kid: string
  readonly alg: 'ES256'
  readonly use: 'sig'
}

export interface SigningKeys {
  /** The newest first: it signs, the others only verify. */
  list(): readonly [SigningKey, ...SigningKey[]]
  /** Puts a new key first. @param withdraw forget the others at once, so that their tokens no longer verify */
  rotate(withdraw: boolean): void
}

const MAX_KEYS = 3

/** @param file null keeps the keys in memory */
export function openSigningKeys(file: string | null): SigningKeys {
  let keys: [SigningKey, ...SigningKey[]] = readKeys(file) ?? [newKey()]
  writeKeys(file, keys)
  return {
    list: () => keys,
    rotate(withdraw) {
      keys = withdraw ? [newKey()] : [newKey(), ...keys.slice(0, MAX_KEYS - 1)]
      writeKeys(file, keys)
    },
  }
}

function newKey(): SigningKey {
  const {
    x = '',
    y = '',
    d = '',
  } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
  return { kty: 'EC', crv: 'P-256', x, y, d, kid: randomUUID(), alg: 'ES256', use: 'sig' }
}

function readKeys(file: string | null): [SigningKey, ...SigningKey[]] | null {
  if (file === null || !existsSync(file)) return null
  return JSON.parse(readFileSync(file, 'utf8')) as [SigningKey, ...SigningKey[]] // written by this file alone, never empty
}

function writeKeys(file: string | null, keys: readonly SigningKey[]): void {
  if (file === null) return
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(`${file}.new`, JSON.stringify(keys), { mode: 0o600 })
  renameSync(`${file}.new`, file)
}
