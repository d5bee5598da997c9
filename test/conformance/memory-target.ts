/** The kit's target in memory: the good adapter, or one that is broken on purpose. */
import type { Target } from '../../broker/conformance/contract-case.ts'
import type { Provider } from '../../shared/provider.ts'
import { CLUSTER, type Habits, createMemoryProvider } from './memory-adapter.ts'
import { MEMORY_KEY, PAGE_SIZE, createMemoryOperator } from './memory-operator.ts'

export interface Breakage {
  readonly habits?: Partial<Habits>
  /** Calls that are made otherwise than the good adapter makes them. */
  readonly breaks?: (good: Provider) => Partial<Provider>
  /** The same for the adapter that has the wrong key. */
  readonly breaksWrongKey?: (good: Provider) => Partial<Provider>
}

const WRONG_KEY = 'the-wrong-key'

export function memoryTarget({ habits = {}, breaks, breaksWrongKey }: Breakage = {}): Target {
  const operator = createMemoryOperator()
  const freshProvider = (): Provider => {
    const good = createMemoryProvider({ operator, key: MEMORY_KEY, habits })
    return { ...good, ...breaks?.(good) }
  }
  const refused = createMemoryProvider({ operator, key: WRONG_KEY, habits })
  return {
    provider: freshProvider(),
    freshProvider,
    wrongKeyProvider: { ...refused, ...breaksWrongKey?.(refused) },
    wrongSecrets: [WRONG_KEY],
    clusterId: CLUSTER,
    unknownInstanceId: 'n-999999',
    pageSize: PAGE_SIZE,
    burstNodes: 12,
    maxNodes: 100,
    sandbox: operator.sandbox,
    patience: { callMs: 5_000, readyMs: 2_500, lookEveryMs: 10, graceMs: 800 },
  }
}
