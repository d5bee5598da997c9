/** An adapter's module as an outsider writes one: what `--adapter` loads in the command's own test. */
import { z } from 'zod'
import type { AdapterContext, Provider } from '../../shared/provider.ts'
import { createMemoryProvider } from './memory-adapter.ts'
import { MEMORY_KEY, createMemoryOperator } from './memory-operator.ts'

const Settings = z.strictObject({ id: z.string(), kind: z.literal('memory'), key: z.string(), isBroken: z.boolean() })

export const version = '0.0.7'

const operator = createMemoryOperator()

export function createProvider(_kind: string, rawSettings: unknown, context: AdapterContext): Provider {
  const { key, isBroken } = Settings.parse(rawSettings)
  const good = createMemoryProvider({ operator, key: key === 'from the file' ? MEMORY_KEY : key, context })
  return isBroken ? { ...good, freeCapacity: async () => -1 } : good
}
