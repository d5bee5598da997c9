/**
 * Long work on the event loop, in slices: between any two of them everybody else has a turn. All such work of this process
 * takes turns with itself too, so that many of them together still leave the loop after one slice.
 */

/** Less than the 5 ms for which nobody notices, because the last step of a slice still ends. */
const SLICE_MS = 2

const inLine: (() => void)[] = []

/** Resolves after everybody else has had a turn, for one at a time. */
const othersTurn = (): Promise<void> =>
  new Promise((resolve) => {
    inLine.push(resolve)
    if (inLine.length === 1) setImmediate(next)
  })

function next(): void {
  const first = inLine[0]
  // What is asked for while an immediate runs, runs after the loop has been round once.
  if (inLine.length > 1) setImmediate(next)
  inLine.shift()
  first?.()
}

export async function inSlices<T>(steps: Iterator<undefined, T>): Promise<T> {
  await othersTurn()
  let sliceFrom = performance.now()
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    if (performance.now() - sliceFrom < SLICE_MS) continue
    await othersTurn()
    sliceFrom = performance.now()
  }
}
