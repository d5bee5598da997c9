/**
 * The control endpoints of a sandbox, as functions: `GET ledger`, `PUT faults`, `PUT behaviour`, `PUT clock` under one URL.
 * Whoever simulates an operator, and wants the cases that need faults, answers these four.
 */
import { z } from 'zod'
import type { Sandbox } from './contract-case.ts'

const CONTROL_MS = 10_000

const Entry = z.object({ id: z.string(), name: z.string(), deletedAt: z.string().nullable() })
const LedgerAnswer = z.object({ nodes: z.array(Entry), others: z.array(Entry.extend({ kind: z.string() })) })

/** The sandbox did not do what it was told: a fault of the target, not of the adapter. */
export class ControlError extends Error {
  override readonly name = 'ControlError'
}

/** @param controlUrl without a slash at the end, such as `http://127.0.0.1:8091/_sandbox` */
export function controlOf(controlUrl: string, calls: Sandbox['calls']): Sandbox {
  const ask = async (method: 'GET' | 'PUT', name: string, body?: unknown): Promise<unknown> => {
    const url = `${controlUrl}/${name}`
    try {
      const answer = await fetch(url, {
        method,
        signal: AbortSignal.timeout(CONTROL_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      })
      if (!answer.ok) throw new ControlError(`${method} ${url} answers ${answer.status}: ${await answer.text()}`)
      return await answer.json()
    } catch (error) {
      if (error instanceof ControlError) throw error
      throw new ControlError(`${method} ${url} does not answer`, { cause: error })
    }
  }
  return {
    calls,
    setFaults: async (faults) => void (await ask('PUT', 'faults', faults)),
    setBehaviour: async (behaviour) => void (await ask('PUT', 'behaviour', behaviour)),
    setClock: async (offsetMs) => void (await ask('PUT', 'clock', { offsetMs })),
    async ledger() {
      const read = LedgerAnswer.safeParse(await ask('GET', 'ledger'))
      if (!read.success) throw new ControlError(`GET ${controlUrl}/ledger: ${z.prettifyError(read.error)}`)
      return read.data
    },
  }
}
