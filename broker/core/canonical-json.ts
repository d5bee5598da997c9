/** Digests of JSON data. Members are sorted, so that data that went through a jsonb column has the digest it had before. */

export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null)
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`)
  return `{${members.join(',')}}`
}

/** SHA-256 in hex, handed in: the core imports nothing of Node. */
export type Sha256 = (text: string) => string

/** The digest of a log with one more entry: it vouches for everything that came before. */
export const chainedWith = (sha256: Sha256, digest: string, entry: unknown): string =>
  sha256(`${digest}\n${canonicalJson(entry)}`)

/** What a decision followed from, as far as it is not the calendar itself: `log` vouches for that. */
export interface DigestedInput {
  readonly input: unknown
  /** Digest of the calendar's log up to the decision. */
  readonly log: string
  readonly now: number
  readonly policyVersion: string
}

export const inputDigestWith = (sha256: Sha256, { input, log, now, policyVersion }: DigestedInput): string =>
  sha256(canonicalJson({ input, log, now, policyVersion }))
