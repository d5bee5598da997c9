/** Work that can be done in steps, done in one go. @returns what it comes to in the end */
export function finished<T>(steps: Iterator<unknown, T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}
