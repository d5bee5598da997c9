/** The whole sandbox in this process, on free ports, with nodes that stand within milliseconds. */
import { sandboxSettings, type SandboxSettings } from '../../deploy/sandbox/for-broker.ts'
import { startSandbox } from '../../deploy/sandbox/sandbox.ts'
import { closeAll } from './close-all.ts'
import { leaveNockOut } from './real-network.ts'

export interface TestSandbox {
  /** How a broker is configured to use it. */
  readonly settings: SandboxSettings
  /** The issuer of tokens. */
  readonly identityUrl: string
  /** `PUT /_sandbox/behaviour` of one operator. */
  setBehaviour(operator: OperatorId, behaviour: object): Promise<void>
  /** Nodes that the operator has built and not deleted. */
  standing(operator: OperatorId): Promise<number>
  close(): Promise<void>
}

export type OperatorId = 'naver' | 'nhn' | 'kakao'

const FAST = { port: 0, dir: null, bootMs: 40, latencyMs: 0, ratePerSecond: 100_000 } as const

export async function startTestSandbox(): Promise<TestSandbox> {
  const putNockBack = leaveNockOut()
  const sandbox = await startSandbox(FAST)
  const { naver, nhn, kakao, identity } = sandbox
  const urls = { naver: naver.url, nhn: nhn.url, kakao: kakao.url, identity: identity.url }
  const control = async (operator: OperatorId, name: string, init: RequestInit): Promise<unknown> => {
    const answer = await fetch(`${urls[operator]}/_sandbox/${name}`, init)
    if (!answer.ok) throw new Error(`the sandbox refused ${name}: ${answer.status} ${await answer.text()}`)
    return await answer.json()
  }
  return {
    settings: sandboxSettings(urls),
    identityUrl: identity.url,
    async setBehaviour(operator, behaviour) {
      await control(operator, 'behaviour', { method: 'PUT', body: JSON.stringify(behaviour) })
    },
    async standing(operator) {
      const { nodes } = (await control(operator, 'ledger', {})) as { nodes: readonly { deletedAt: unknown }[] } // our own sandbox's answer
      return nodes.filter((node) => node.deletedAt === null).length
    },
    async close() {
      await closeAll(() => sandbox.close(), putNockBack)
    },
  }
}
