/** One simulated operator on a free port, with fast nodes, and its control endpoints as functions. */
import { startOperator, type OperatorSetup } from '../../deploy/sandbox/harness.ts'
import { closeAll } from '../support/close-all.ts'
import { leaveNockOut } from '../support/real-network.ts'
import type { Fault, Ledger } from '../../broker/conformance/contract-case.ts'

export interface SandboxOperator {
  /** Without a slash at the end. */
  readonly url: string
  setFaults(faults: readonly Fault[]): Promise<void>
  setBehaviour(behaviour: object): Promise<void>
  /** Shifts the operator's clock. */
  setClock(offsetMs: number): Promise<void>
  ledger(): Promise<Ledger>
  close(): Promise<void>
}

const FAST = { dir: null, bootMs: 40, latencyMs: 0, ratePerSecond: 100_000, port: 0 } as const

export async function startSandboxOperator(setup: OperatorSetup): Promise<SandboxOperator> {
  const putNockBack = leaveNockOut()
  const operator = await startOperator(setup, FAST)
  const control = async (method: 'GET' | 'PUT', name: string, body?: unknown): Promise<unknown> => {
    const answer = await fetch(`${operator.url}/_sandbox/${name}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!answer.ok) throw new Error(`the sandbox refused ${method} ${name}: ${answer.status} ${await answer.text()}`)
    return await answer.json()
  }
  return {
    url: operator.url,
    async setFaults(faults) {
      await control('PUT', 'faults', faults)
    },
    async setBehaviour(behaviour) {
      await control('PUT', 'behaviour', behaviour)
    },
    async setClock(offsetMs) {
      await control('PUT', 'clock', { offsetMs })
    },
    async ledger() {
      return (await control('GET', 'ledger')) as Ledger // our own sandbox's answer
    },
    async close() {
      await closeAll(() => operator.close(), putNockBack)
    },
  }
}
