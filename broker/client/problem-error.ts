/** What a caller of the client gets when the broker says no, or cannot be reached. */
import { Problem } from '../../shared/problem.ts'
import type { FieldError } from '../../shared/refusal.ts'

/** The broker answered with a problem document: `code` is stable, `detail` has the figures. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly code: string
  readonly status: number
  readonly title: string
  readonly detail: string
  /** What is wrong with which field; empty unless the request was not valid. */
  readonly errors: readonly FieldError[]
  /** The whole document: `candidates`, `limit`, … stand beside the standard members. */
  readonly problem: Problem
  /** Names the request in the broker's log; null where the answer carried none. */
  readonly requestId: string | null

  constructor(problem: Problem, requestId: string | null) {
    super(`${problem.title}: ${problem.detail}`)
    this.code = problem.code
    this.status = problem.status
    this.title = problem.title
    this.detail = problem.detail
    this.errors = problem.errors ?? []
    this.problem = problem
    this.requestId = requestId
  }
}

/** Nobody answered, or what answered is not a broker; the sentence says where and why. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError'
}

/** No access token was to be had; the sentence says from whom and why, without the secret. */
export class TokenError extends Error {
  override readonly name = 'TokenError'
}

/** Reads an answer that is no success. What is not a problem document came from something that is not a broker. */
export function errorOf(answer: { readonly url: string; readonly response: Response; readonly text: string }): Error {
  const { url, response, text } = answer
  const problem = Problem.safeParse(parseJson(text))
  if (problem.success) return new ProblemError(problem.data, response.headers.get('x-request-id'))
  return new UnreachableError(`${url} answered ${response.status}, but not as a broker does.`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
