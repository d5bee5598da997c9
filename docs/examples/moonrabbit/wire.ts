/** What Moonrabbit's server reads and answers: bodies, problem documents, and nodes as the protocol shows them. */
import { z } from 'zod'
import type { SandboxRequest, SandboxResponse } from '../../../deploy/sandbox/harness.ts'

const Owner = z.object({ installationId: z.string(), allocationId: z.string(), group: z.string() })
const Ids = z.array(z.string()).max(1_000)

export const GroupBody = z.object({
  size: z.int().min(1),
  clusterId: z.string(),
  image: z.string(),
  network: z.string(),
  sshPublicKeys: z.array(z.string()),
  owner: Owner,
})
export const DeletionBody = z.object({ clusterId: z.string(), nodeIds: Ids })
export const SearchBody = z.object({ nodeIds: Ids })
export const JoinBody = z.object({ clusterId: z.string(), owner: Owner, nodeIds: Ids })
export const LeaveBody = z.object({ clusterId: z.string(), owner: Owner })
export const SweepBody = z.object({ installationId: z.string(), allocationsEnded: Ids })
export const ListQuery = z.object({
  installationId: z.string(),
  allocationId: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  cursor: z.string().default(''),
})

/** What a request is refused with; nothing was done. */
export class Refusal extends Error {
  readonly response: SandboxResponse
  constructor(response: SandboxResponse) {
    super('refused')
    this.response = response
  }
}

interface ProblemOptions {
  readonly code: string
  readonly detail: string
  readonly headers?: Readonly<Record<string, string>>
  readonly retryAfterMs?: number
}

/** @param kind one of the contract's nine; the effect is always none, because nothing here fails half-way */
export const problem = (status: number, kind: string, { headers, ...words }: ProblemOptions): SandboxResponse => ({
  status,
  headers: { 'content-type': 'application/problem+json', ...headers },
  body: JSON.stringify({ type: 'about:blank', title: kind, status, kind, effect: 'none', ...words }),
})

export const ok = (body: object): SandboxResponse => ({ status: 200, body })

/** @throws Refusal that names the member */
export function bodyAs<S extends z.ZodType>(schema: S, { body }: SandboxRequest): z.infer<S> {
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch {
    throw new Refusal(problem(400, 'refused', { code: 'MR-400', detail: 'the body is not JSON' }))
  }
  return checked(schema, value)
}

export function checked<S extends z.ZodType>(schema: S, value: unknown): z.infer<S> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new Refusal(problem(400, 'refused', { code: 'MR-400', detail: z.prettifyError(parsed.error) }))
}
