/** Chance with a seed: what is drawn depends on the seed, what it is drawn for and which line of the trace, on nothing else. */

/**
 * @param purpose keeps draws for different ends apart
 * @param index of the line in its trace, so that two windows draw alike where they overlap
 * @returns at least 0, less than 1
 */
export function draw(seed: number, purpose: 'architecture' | 'organization', index: number): number {
  const begin = Math.imul(seed + 1, 0x2545f491) ^ (purpose === 'architecture' ? 0x1b56c4e9 : 0x7feb352d)
  return scrambled(scrambled(begin) + index) / 2 ** 32
}

/** One bit of the input changes about half of those of the output; each step can be undone, so that no two meet. */
function scrambled(value: number): number {
  let bits = value | 0
  bits = Math.imul(bits ^ (bits >>> 16), 0x45d9f3b)
  bits = Math.imul(bits ^ (bits >>> 15), 0x2c1b3c6d)
  return (bits ^ (bits >>> 16)) >>> 0
}

/** One of the choices, as often as its weight says; null where none has a weight. */
export function drawn<T extends { readonly weight: number }>(choices: readonly T[], unit: number): T | null {
  let rest = unit * choices.reduce((sum, { weight }) => sum + weight, 0)
  for (const choice of choices) {
    rest -= choice.weight
    if (rest < 0) return choice
  }
  return null
}
