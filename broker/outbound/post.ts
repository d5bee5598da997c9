/** One POST to an endpoint that somebody else runs: bounded in time and size, to a good address only, no redirects. */
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { SECOND_MS } from '../../shared/time.ts'
import { assertSpelling, ForbiddenTarget, guardedLookup, type TargetRules } from './target.ts'

export interface Posted {
  /** Null when there was no answer. */
  readonly status: number | null
  /** What went wrong, in few words; null for a 2xx. */
  readonly error: string | null
}

export interface Post {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Ends it before its time. */
  readonly signal: AbortSignal
}

export interface PosterOptions extends TargetRules {
  /** From looking its name up to the end of the answer; default 10 s. */
  readonly deadlineMs?: number
}

const DEADLINE_MS = 10 * SECOND_MS
/** Nobody reads the answer's body; a receiver that sends more is cut off. */
const MAX_ANSWER_BYTES = 64 * 1024

/** Never rejects: whatever happens is told. */
export type Poster = (post: Post) => Promise<Posted>

export const createPoster =
  ({ deadlineMs = DEADLINE_MS, ...rules }: PosterOptions): Poster =>
  async ({ url: text, headers, body, signal }) => {
    const deadline = AbortSignal.timeout(deadlineMs)
    try {
      const url = new URL(text)
      assertSpelling(url, rules)
      const status = await exchange({ url, headers, body, signal: AbortSignal.any([signal, deadline]) }, rules)
      return { status, error: complaintOf(status) }
    } catch (error) {
      if (deadline.aborted) return { status: null, error: `no answer within ${deadlineMs / SECOND_MS} s` }
      if (error instanceof ForbiddenTarget) return { status: null, error: error.message }
      return { status: null, error: error instanceof Error && 'code' in error ? String(error.code) : 'no answer' }
    }
  }

/** By the class of its answer, whatever the answer within it. */
function complaintOf(status: number): string | null {
  const answerClass = Math.floor(status / 100)
  if (answerClass === 2) return null
  return answerClass === 3 ? 'a redirect is not followed' : `the endpoint answered ${status}`
}

function exchange(
  { url, headers, body, signal }: Omit<Post, 'url'> & { readonly url: URL },
  rules: TargetRules,
): Promise<number> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method: 'POST',
      headers: { ...headers, 'content-length': Buffer.byteLength(body), 'user-agent': 'gpu-broker' },
      agent: false, // a connection of its own: its address was looked at just now
      lookup: guardedLookup(rules),
      signal,
    })
    sent.on('error', reject)
    sent.on('response', (response) => {
      const status = response.statusCode ?? 0
      let bytes = 0
      response.on('data', (part: Buffer) => {
        bytes += part.length
        if (bytes > MAX_ANSWER_BYTES) response.destroy()
      })
      response.on('error', reject)
      response.on('close', () => resolve(status))
    })
    sent.end(body)
  })
}
