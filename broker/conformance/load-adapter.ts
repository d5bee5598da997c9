/**
 * `--adapter`: a module of somebody else, loaded by its path. It exports what `adapters/registry.ts` exports:
 * `createProvider(kind, rawSettings, context)`, and, if it likes, `version`.
 */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AdapterContext } from '../../shared/provider.ts'
import { KitError } from './config.ts'
import type { ClosableProvider } from './contract-case.ts'

export interface AdapterModule {
  /** @throws whatever the adapter throws at settings that it cannot use */
  createProvider(kind: string, rawSettings: unknown, context: AdapterContext): ClosableProvider
  /** The adapter's own; null where it names none. */
  readonly version: string | null
}

/** @throws KitError when the file is not there, does not load, or exports no factory */
export async function loadAdapter(path: string): Promise<AdapterModule> {
  let module: Readonly<Record<string, unknown>>
  try {
    module = (await import(pathToFileURL(resolve(path)).href)) as Readonly<Record<string, unknown>>
  } catch (error) {
    throw new KitError(`${path} cannot be loaded: ${error instanceof Error ? error.message : String(error)}`)
  }
  const { createProvider, version } = module
  if (typeof createProvider !== 'function') {
    throw new KitError(`${path} must export createProvider(kind, rawSettings, context)`)
  }
  return {
    createProvider: createProvider as AdapterModule['createProvider'], // what it makes is what the cases are about
    version: typeof version === 'string' ? version : null,
  }
}
