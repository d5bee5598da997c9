/** How a command that fails says so: lines on standard error, and an exit status that a script can tell apart. */
import type { Candidate } from '../../shared/decision.ts'
import { ProblemError, TokenError, UnreachableError } from '../client/problem-error.ts'
import { candidatesText } from './commands/preview.ts'
import { UsageError } from './io.ts'
import { type Sentence, type Text, reworded, titleIn } from './text/text.ts'

/** `refused`: the broker said no. `usage`: the command cannot mean anything. `unreachable`: nobody answered, or no token. */
export const EXIT = { ok: 0, refused: 1, usage: 2, unreachable: 3, interrupted: 130 } as const

export interface Failure {
  readonly exitCode: number
  /** Ends with a line break. */
  readonly text: string
}

/** Null for what is a bug: its whole stack is of use then. */
export function failureOf(error: unknown, { json, t }: { readonly json: boolean; readonly t: Text }): Failure | null {
  if (error instanceof ProblemError) {
    return {
      exitCode: EXIT.refused,
      text: json ? `${JSON.stringify(error.problem, null, 2)}\n` : problemText(error, t),
    }
  }
  if (error instanceof UsageError) return { exitCode: EXIT.usage, text: `gpu-broker: ${error.message}\n` }
  if (error instanceof UnreachableError || error instanceof TokenError) {
    return { exitCode: EXIT.unreachable, text: `gpu-broker: ${reworded(t, OF_THE_CLIENT, error.message)}\n` }
  }
  return null
}

/** What the client says itself, in English as a library does. */
const OF_THE_CLIENT: readonly Sentence[] = [
  '{url} cannot be reached: {why}.',
  '{url} answered {status}, but not as a broker does.',
  '{url} answered, but not with JSON as a broker does.',
  'No token for {client} from {issuer}: {why}.',
  'The stream of events has ended again and again before anything came.',
]

function problemText(
  { title: inEnglish, detail, code, status, errors, problem, requestId }: ProblemError,
  t: Text,
): string {
  const title = titleIn(t, { code, title: inEnglish })
  const request = requestId === null ? '' : `, ${t('request {id}', { id: requestId })}`
  const inFields = errors
    .map((error) => `  ${error.pointer === '' ? '' : `${error.pointer}: `}${error.detail}\n`)
    .join('')
  // Where fields are named, the detail is the same errors in one line.
  const what = inFields === '' ? `${title}: ${detail}\n` : `${title}:\n${inFields}`
  return `${what}${reasonsText(problem['candidates'], t)}(${code}, ${status}${request})\n`
}

/** A refusal for want of a cluster says why not, cluster by cluster. */
function reasonsText(candidates: unknown, t: Text): string {
  if (!Array.isArray(candidates) || !candidates.every(isCandidate)) return ''
  return candidatesText(candidates, t)
}

const isCandidate = (one: unknown): one is Pick<Candidate, 'clusterId' | 'reasons'> =>
  typeof one === 'object' && one !== null && 'clusterId' in one && 'reasons' in one && Array.isArray(one.reasons)
