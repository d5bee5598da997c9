/** Holding the broker's own hands: while a provider is frozen, nothing is made or deleted there. Requests are still taken. */
import type { FreezeRequest, Frozen } from '../../shared/operation.ts'
import { Refusal } from '../../shared/refusal.ts'
import type { App } from './app.ts'
import { type Answer, type Command, mayOperate } from './command.ts'
import type { Draft } from './draft.ts'

export type Hold = 'freeze' | 'unfreeze'

/** Twice is as good as once. Without a provider: all of them, one by one. */
export function holdProviders(
  app: App,
  command: Command,
  {
    to,
    request,
    providerIds,
  }: { readonly to: Hold; readonly request: FreezeRequest; readonly providerIds: readonly string[] },
): Promise<Answer<Frozen>> {
  return app.writer.answer(command, {
    needs: { frozen: true },
    decide(draft) {
      const meant = providerIds.filter((id) => request.providerId === undefined || id === request.providerId)
      const allowed = meant.length > 0 && meant.every((id) => mayOperate(command.caller, id))
      if (!allowed) throw new Refusal('not-found', `There is no provider ${request.providerId ?? 'that is all yours'}.`)
      for (const id of meant) hold(draft, id, to, request)
      return { body: { frozen: providerIds.filter((id) => draft.isFrozen(id)) }, etag: null }
    },
  })
}

function hold(draft: Draft, id: string, to: Hold, { reason }: FreezeRequest): void {
  const frozen = to === 'freeze'
  if (draft.isFrozen(id) === frozen) return
  draft.setFrozen(id, frozen)
  const type = frozen ? 'provider.frozen' : 'provider.unfrozen'
  draft.event({ type, subject: `providers/${id}`, data: { reason: reason ?? null } })
}
