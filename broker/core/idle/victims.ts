/**
 * Which grants give way when so many nodes are needed: the fewest, and of those the ones that lose least. Exact, by a table
 * over how many are taken and how many nodes they bring.
 */

export interface Candidate {
  readonly nodes: number
  /** Work that is lost with it, in node-milliseconds. */
  readonly lost: number
}

/** One way to take `count` of the grants seen so far. */
interface Choice<T> {
  readonly lost: number
  readonly grant: T
  readonly before: Choice<T> | null
}

/**
 * The chosen ones, the largest first; all of them where even all bring too little, none where none is needed.
 *
 * @param candidates the earlier of two alike is taken
 */
export function chooseVictims<T extends Candidate>(candidates: readonly T[], neededNodes: number): T[] {
  if (neededNodes <= 0) return []
  const bySize = candidates.toSorted((a, b) => b.nodes - a.nodes || a.lost - b.lost)
  const sums = [0]
  for (const { nodes } of bySize) sums.push((sums.at(-1) ?? 0) + nodes)
  const sumOf = (first: number): number => sums[first] ?? 0
  const count = sums.findIndex((sum) => sum >= neededNodes)
  if (count === -1) return bySize
  // Per number of grants taken: nodes brought, at most those needed → the way that loses least.
  const tables = Array.from({ length: count + 1 }, () => new Map<number, Choice<T> | null>())
  tables[0]?.set(0, null)
  for (const [index, grant] of bySize.entries()) {
    for (let taken = count - 1; taken >= 0; taken -= 1) {
      const left = count - taken - 1
      // What the largest of those still to come can bring beside this one: only ways that may still suffice are kept.
      const toCome = sumOf(Math.min(sums.length - 1, index + 1 + left)) - sumOf(index + 1)
      for (const [brought, choice] of tables[taken] ?? []) {
        const nodes = Math.min(neededNodes, brought + grant.nodes)
        if (nodes + toCome < neededNodes) continue
        const lost = (choice?.lost ?? 0) + grant.lost
        const other = tables[taken + 1]?.get(nodes)
        if (other === undefined || other === null || lost < other.lost)
          tables[taken + 1]?.set(nodes, { lost, grant, before: choice })
      }
    }
  }
  return chosenIn(tables[count]?.get(neededNodes) ?? null)
}

function chosenIn<T>(last: Choice<T> | null): T[] {
  const chosen: T[] = []
  for (let choice = last; choice !== null; choice = choice.before) chosen.push(choice.grant)
  return chosen.toReversed()
}
