/**
 * What a path names, found for who may operate it: to anybody else it is not there, whatever is wrong with the rest of the
 * request. Everybody may read it, so reading finds it otherwise.
 */
import { Refusal } from '../../../shared/refusal.ts'
import { type Caller, mayOperate } from '../../app/command.ts'
import type { UseCases } from '../use-cases.ts'

interface Named {
  readonly id: string
}

/** @throws Refusal `not-found` */
export async function operatedCluster(useCases: UseCases, caller: Caller, { id }: Named): Promise<void> {
  const { body } = await useCases.getCluster(caller, id)
  if (!mayOperate(caller, body.providerId)) throw new Refusal('not-found', `There is no cluster ${id}.`)
}

/** @throws Refusal `not-found` */
export async function operatedProvider(useCases: UseCases, caller: Caller, { id }: Named): Promise<void> {
  await useCases.getProvider(caller, id)
  if (!mayOperate(caller, id)) throw new Refusal('not-found', `There is no provider ${id}.`)
}
