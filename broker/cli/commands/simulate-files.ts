/** The files that `simulate` reads and writes; whatever is wrong with one is said as the caller's to mend. */
import { readFile, writeFile } from 'node:fs/promises'
import { Inventory } from '../../../shared/inventory.ts'
import type { Policy } from '../../core/placement/policy.ts'
import { PolicyError, policyFrom } from '../../simulate/policy-file.ts'
import { readTrace } from '../../simulate/read-trace.ts'
import { type Trace, TraceError } from '../../simulate/trace.ts'
import { UsageError } from '../io.ts'

const DEFAULT_INVENTORY = new URL('../../../deploy/inventory.json', import.meta.url)

/** Of the programme, unless a file says otherwise. @throws UsageError */
export async function inventoryFrom(path: string | undefined): Promise<Inventory> {
  const parsed = Inventory.safeParse(await jsonIn(path ?? DEFAULT_INVENTORY))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new UsageError(`${path ?? 'the inventory'}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not one'}`)
}

/** @throws UsageError */
export async function policyIn(path: string): Promise<Policy> {
  try {
    return policyFrom(await jsonIn(path))
  } catch (error) {
    if (error instanceof PolicyError) throw new UsageError(`${path}: ${error.message}`)
    throw error
  }
}

async function jsonIn(path: string | URL): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => unreadable(String(path), error))
  try {
    return JSON.parse(text)
  } catch {
    throw new UsageError(`${String(path)}: is no JSON`)
  }
}

/** @throws UsageError */
export async function traceIn(path: string): Promise<Trace> {
  try {
    return await readTrace(path)
  } catch (error) {
    if (error instanceof TraceError) throw new UsageError(`${path}: ${error.message}`)
    return unreadable(path, error)
  }
}

/** @throws UsageError */
export async function written(path: string, text: string): Promise<void> {
  await writeFile(path, text).catch((error: unknown) => unreadable(path, error))
}

/** Files that are not there, or not readable, are the caller's to mend; all else is a bug. */
function unreadable(path: string, error: unknown): never {
  if (error instanceof Error && 'code' in error) throw new UsageError(`${path}: ${error.message}`)
  throw error
}
