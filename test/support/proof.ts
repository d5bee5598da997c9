/** Makes everything that a broker has decided again, as an auditor would: over the API, on this side of it. */
import { deviationText } from '../../broker/cli/commands/decision-text.ts'
import { type Verified, verifyDecisions } from '../../broker/cli/verify-decisions.ts'
import { createClient } from '../../broker/client/client.ts'
import { fixedToken } from '../../broker/client/credentials.ts'
import { tokenFor } from './api-client.ts'
import type { TestBroker } from './broker.ts'

export async function verified(broker: TestBroker): Promise<Verified> {
  const token = await tokenFor(broker.sandbox.identityUrl, 'auditor')
  const client = createClient({ baseUrl: broker.url, tokens: fixedToken(token) })
  return verifyDecisions(client, {}, { signal: new AbortController().signal, progress: () => undefined })
}

/** @throws Error with the first decision that does not come out as it is stored */
export async function assertProved(broker: TestBroker): Promise<Verified> {
  const found = await verified(broker)
  if (found.deviation !== null) throw new Error(deviationText(found.deviation))
  return found
}
