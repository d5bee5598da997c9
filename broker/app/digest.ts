/** The digests of `core/canonical-json.ts` with the SHA-256 of Node. */
import { hash } from 'node:crypto'
import { chainedWith, type DigestedInput, inputDigestWith } from '../core/canonical-json.ts'

/** SHA-256 in hex. */
export const sha256 = (text: string): string => hash('sha256', text)

export const chained = (digest: string, entry: unknown): string => chainedWith(sha256, digest, entry)

export const inputDigest = (of: DigestedInput): string => inputDigestWith(sha256, of)
