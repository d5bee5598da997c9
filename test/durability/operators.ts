/** The three simulated operators with everything that can be done to them, and what each has standing. */
import { namePrefixOf } from '../../shared/ids.ts'
import type { LedgerView } from '../../deploy/sandbox/ledger.ts'
import { type OperatorId, startTestSandbox, type TestSandbox } from '../support/sandbox.ts'
import { eventually } from './eventually.ts'

export const OPERATORS = ['naver', 'nhn', 'kakao'] as const satisfies readonly OperatorId[]

export interface Match {
  readonly method?: string
  readonly path: string
}

/** The request that makes nodes, as each operator spells it. */
export const CREATE: Readonly<Record<OperatorId, Match>> = {
  naver: { path: '/createServerInstances$' },
  nhn: { method: 'POST', path: '/compute/v2/[^/]+/servers$' },
  kakao: { method: 'POST', path: '/api/v1/instances$' },
}

export interface Operators extends TestSandbox {
  setFaults(operator: OperatorId, faults: readonly object[]): Promise<void>
  /** How many calls have met the faults that were set last, each of which says how often it strikes. */
  struck(operator: OperatorId): Promise<number>
  /** A node that was up fails, as the operator sees it. */
  breakNode(operator: OperatorId, id: string): Promise<void>
  setClock(operator: OperatorId, offsetMs: number): Promise<void>
  ledger(operator: OperatorId): Promise<LedgerView>
  /** Nodes of an allocation that were ever built there. */
  everBuilt(operator: OperatorId, allocationId: string): Promise<LedgerView['nodes']>
  /** Ids of those that stand. */
  idsStanding(operator: OperatorId, allocationId: string): Promise<string[]>
  /** Faults and behaviour as on the best day. */
  calm(): Promise<void>
  /** Waits until nothing is left at any operator, nodes or other things, that was not there at the start. */
  untilNothingIsLeft(): Promise<void>
}

export async function startOperators(): Promise<Operators> {
  const sandbox = await startTestSandbox()
  const origins = originsOf(sandbox)
  const control = async (operator: OperatorId, name: string, body?: unknown, method = 'PUT'): Promise<unknown> => {
    const answer = await fetch(`${origins[operator]}/_sandbox/${name}`, {
      ...(body === undefined ? {} : { method, body: JSON.stringify(body) }),
    })
    if (!answer.ok) throw new Error(`the sandbox refused ${name}: ${answer.status} ${await answer.text()}`)
    return await answer.json()
  }
  const ledger = async (operator: OperatorId): Promise<LedgerView> => (await control(operator, 'ledger')) as LedgerView // our own sandbox's answer
  const everBuilt: Operators['everBuilt'] = async (operator, allocationId) =>
    (await ledger(operator)).nodes.filter((node) => node.name.startsWith(namePrefixOf(allocationId)))
  const standing = async (): Promise<string[]> => (await Promise.all(OPERATORS.map(ledger))).flatMap(idsOfStanding)
  const atStart = new Set(await standing())
  const timesSet = new Map<OperatorId, number>()
  return {
    ...sandbox,
    ledger,
    everBuilt,
    async setFaults(operator, faults) {
      timesSet.set(operator, timesIn(faults))
      await control(operator, 'faults', faults)
    },
    async struck(operator) {
      const left = (await control(operator, 'faults')) as readonly object[] // what is still to strike
      return (timesSet.get(operator) ?? 0) - timesIn(left)
    },
    async breakNode(operator, id) {
      await control(operator, 'break', { id }, 'POST')
    },
    async setClock(operator, offsetMs) {
      await control(operator, 'clock', { offsetMs })
    },
    async idsStanding(operator, allocationId) {
      return (await everBuilt(operator, allocationId)).filter(stands).map(({ id }) => id)
    },
    async calm() {
      for (const operator of OPERATORS) {
        await control(operator, 'faults', [])
        await control(operator, 'behaviour', {})
        await control(operator, 'clock', { offsetMs: 0 })
      }
    },
    async untilNothingIsLeft() {
      await eventually('nothing left', standing, (ids) => ids.every((id) => atStart.has(id)))
    },
  }
}

const timesIn = (faults: readonly { readonly times?: number }[]): number =>
  faults.reduce((sum, { times = 0 }) => sum + times, 0)

const stands = ({ deletedAt }: { readonly deletedAt: string | null }): boolean => deletedAt === null

const idsOfStanding = ({ nodes, others }: LedgerView): string[] =>
  [...nodes.map((node) => ({ ...node, kind: 'node' })), ...others]
    .filter(stands)
    .map(({ kind, id, name }) => `${kind} ${id} ${name}`)

/** Each operator's services share a port, so any of its base URLs tells where its control endpoints are. */
function originsOf({ settings }: TestSandbox): Readonly<Record<OperatorId, string>> {
  const entries = (settings.providers as readonly Readonly<Record<string, unknown>>[]).map((provider) => {
    const url = Object.entries(provider).find(([name]) => name.endsWith('Url'))?.[1]
    return [provider['id'], new URL(String(url)).origin] as const
  })
  return Object.fromEntries(entries) as Record<OperatorId, string> // for-broker.ts configures exactly these three
}
