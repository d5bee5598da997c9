/** Ends what a `describe` has started, however far its `before` came. */
import { after } from 'mocha'
import { closeAll } from './close-all.ts'

/**
 * Called in a `describe`, because it says what is done after its tests.
 *
 * @param timeoutMs how long all of it may take; default as the tests around it
 * @returns to be told of each thing once it is started, how it ends: what was started last ends first
 */
export function endsInTheEnd(timeoutMs?: number): (close: () => unknown) => void {
  const closing: (() => unknown)[] = []
  after(async function end() {
    if (timeoutMs !== undefined) this.timeout(timeoutMs)
    await closeAll(...closing.splice(0).toReversed())
  })
  return (close) => void closing.push(close)
}
