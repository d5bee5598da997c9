/** Writes answers: express's own `json` would guess at ETags and charsets. */
import type { Response } from 'express'
import type { ProblemAnswer } from './problem.ts'

export const CSV = 'text/csv'
/** As it is sent: the first line names the columns (RFC 4180, section 3). */
export const CSV_WITH_HEADER = `${CSV}; charset=utf-8; header=present`

export const sendJson = (response: Response, status: number, body: unknown): void =>
  send(response, { status, type: 'application/json', text: JSON.stringify(body) })

export function sendProblem(response: Response, problem: ProblemAnswer): void {
  for (const [name, value] of Object.entries(problem.headers)) response.setHeader(name, value)
  send(response, { status: problem.status, type: 'application/problem+json', text: JSON.stringify(problem.body) })
}

interface Content {
  readonly status: number
  readonly type: string
  readonly text: string
}

export function send(response: Response, { status, type, text }: Content): void {
  // Once: a text would be measured, copied behind its headers and encoded into room for three times its length.
  const bytes = Buffer.from(text)
  response.statusCode = status
  response.setHeader('Content-Type', type)
  response.setHeader('Content-Length', bytes.length)
  response.end(bytes)
}
