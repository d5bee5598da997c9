/** At start, asks every provider whether what is configured exists there, and says what does not. It stops nobody. */
import { ProviderError } from '../../shared/provider-error.ts'
import { MINUTE_MS } from '../../shared/time.ts'
import type { ProviderEntry } from '../providers/directory.ts'
import type { LookContext } from './steps.ts'

export async function describeProviders(context: LookContext): Promise<void> {
  await Promise.all(context.directory.entries.map((entry) => describeOne(context, entry)))
}

async function describeOne({ app, signal, log }: LookContext, entry: ProviderEntry): Promise<void> {
  const call = { operationId: `describe-${entry.id}`, deadlineAt: app.now() + MINUTE_MS, signal }
  try {
    for (const { clusterId, problems } of await entry.provider.describe(call)) {
      if (problems.length > 0)
        log('a cluster is not as it is configured', { providerId: entry.id, clusterId, problems })
    }
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    log('a provider could not be asked what it has', { providerId: entry.id, kind: error.kind, code: error.code })
  }
}
