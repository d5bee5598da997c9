/**
 * The endpoints under `/_sandbox/` on each operator's own port, for tests and the tour. No operator has them; no rate
 * limit, fault or latency touches them.
 */
import { z } from 'zod'
import { BehaviourChange, changeBehaviour } from './behaviour.ts'
import type { Behaviour } from './behaviour.ts'
import { FaultList } from './faults.ts'
import type { FaultPlan } from './faults.ts'
import type { SandboxRequest, SandboxResponse } from './harness.ts'
import type { LedgerView } from './ledger.ts'

export const CONTROL_PREFIX = '/_sandbox/'

export interface Control {
  readonly faults: FaultPlan
  readonly behaviour: Behaviour
  ledgerView(): LedgerView
  clockOffsetMs(): number
  setClockOffset(offsetMs: number): void
  /** Told after `behaviour.freeNodes` may have changed. */
  stockChanged(): void
  clearRecords(): void
  /** @returns whether there is such a node */
  breakNode(id: string): boolean
  flush(): void
}

/** A node that was up fails. */
const Breaking = z.strictObject({ id: z.string().min(1) })

const ClockChange = z.strictObject({ offsetMs: z.number() })

export function answerControl(request: SandboxRequest, control: Control): SandboxResponse {
  const call = `${request.method} ${request.path}`
  switch (call) {
    case 'GET /_sandbox/ledger':
      return { status: 200, body: control.ledgerView() }
    case 'GET /_sandbox/faults':
      return { status: 200, body: control.faults.list() }
    case 'PUT /_sandbox/faults':
      return withBody(request, FaultList, (faults) => {
        control.faults.set(faults)
        return faults
      })
    case 'GET /_sandbox/behaviour':
      return { status: 200, body: control.behaviour }
    case 'PUT /_sandbox/behaviour':
      return withBody(request, BehaviourChange, (change) => {
        changeBehaviour(control.behaviour, change)
        if (change.freeNodes !== undefined || Object.keys(change).length === 0) control.stockChanged()
        return control.behaviour
      })
    case 'GET /_sandbox/clock':
      return { status: 200, body: { offsetMs: control.clockOffsetMs() } }
    case 'PUT /_sandbox/clock':
      return withBody(request, ClockChange, ({ offsetMs }) => {
        control.setClockOffset(offsetMs)
        control.flush()
        return { offsetMs }
      })
    case 'POST /_sandbox/break':
      return withBody(request, Breaking, ({ id }) => ({ broken: control.breakNode(id) }))
    case 'POST /_sandbox/reset':
      control.clearRecords()
      control.faults.set([])
      changeBehaviour(control.behaviour, {})
      control.stockChanged()
      return { status: 204 }
    default:
      return { status: 404, body: { error: `The sandbox has no ${call}.` } }
  }
}

function withBody<T>(request: SandboxRequest, schema: z.ZodType<T>, act: (body: T) => object): SandboxResponse {
  const parsed = schema.safeParse(parseJson(request.body))
  if (!parsed.success) return { status: 400, body: { error: z.prettifyError(parsed.error) } }
  return { status: 200, body: act(parsed.data) }
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
