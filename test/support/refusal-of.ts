/** What an act is refused with; fails the test if it is not refused, or fails in another way. */
import { Refusal } from '../../shared/refusal.ts'

export function refusalOf(act: () => unknown): Refusal {
  try {
    act()
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
  throw new Error('it was not refused')
}

export async function refusalFrom(acting: Promise<unknown>): Promise<Refusal> {
  const outcome = await acting.then(
    () => null,
    (error: unknown) => error,
  )
  if (outcome instanceof Refusal) return outcome
  throw outcome === null ? new Error('it was not refused') : outcome
}
