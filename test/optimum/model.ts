/**
 * An instance as an integer program, exact: a binary variable for every request, cluster and slot at which it may start.
 * Written in the LP format, which HiGHS reads and a person too.
 */
import { weightOf, type Instance, type Starts } from './instance.ts'

interface Choice {
  readonly name: string
  readonly request: number
  readonly cluster: string
  readonly slot: number
  readonly nodes: number
  readonly slots: number
}

/**
 * @param upperBound the cost of some plan. With everybody else at the earliest slot that he could have alone, no request
 *   of a better plan starts later than the rest of it allows: so the slots tried are few, and nothing is lost
 */
export function choicesOf(instance: Instance, upperBound: number): Choice[] {
  const alone = instance.requests.map((_, at) => Math.min(...slotsAlone(instance, at).map(({ slot }) => slot)))
  const least = alone.reduce((sum, slot, at) => sum + weightOf(instance, instance.requests[at]?.nodes ?? 0) * slot, 0)
  return instance.requests.flatMap(({ nodes, slots }, request) => {
    const last = (alone[request] ?? 0) + Math.floor((upperBound - least) / weightOf(instance, nodes))
    return slotsAlone(instance, request).flatMap(({ cluster, slot: first }) =>
      Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => {
        const slot = first + at
        return {
          name: `x_${request}_${instance.clusters.findIndex(({ id }) => id === cluster)}_${slot}`,
          request,
          cluster,
          slot,
          nodes,
          slots,
        }
      }),
    )
  })
}

/** By cluster that may hold it: its first slot there with nobody but what is held. What is held only ever ends. */
function slotsAlone({ clusters, held, requests }: Instance, at: number): { cluster: string; slot: number }[] {
  const request = requests[at]
  if (request === undefined) return []
  return clusters.flatMap(({ id, architecture, nodes }) => {
    if (architecture !== request.architecture || nodes < request.nodes) return []
    const ends = [0, ...held.filter(({ cluster }) => cluster === id).map(({ until }) => until)].toSorted(
      (a, b) => a - b,
    )
    const slot = ends.find((end) => heldAt(held, id, end) + request.nodes <= nodes)
    return slot === undefined ? [] : [{ cluster: id, slot }]
  })
}

const heldAt = (held: Instance['held'], id: string, slot: number): number =>
  held.reduce((sum, { cluster, nodes, until }) => sum + (cluster === id && slot < until ? nodes : 0), 0)

export function lpOf(instance: Instance, choices: readonly Choice[]): string {
  const { clusters, held, requests } = instance
  const costs = choices.map(({ name, nodes, slot }) => `${weightOf(instance, nodes) * slot} ${name}`)
  const once = requests.map((_, at) => {
    const own = choices.filter(({ request }) => request === at).map(({ name }) => name)
    return ` once_${at}: ${own.join(' + ')} = 1`
  })
  const capacity = clusters.flatMap(({ id, nodes }, at) => {
    const own = choices.filter(({ cluster }) => cluster === id)
    const last = own.reduce((most, { slot, slots }) => Math.max(most, slot + slots), 0)
    return Array.from({ length: last }, (_, slot) => {
      const running = own.filter((choice) => choice.slot <= slot && slot < choice.slot + choice.slots)
      if (running.length === 0) return ''
      const sum = running.map((choice) => `${choice.nodes} ${choice.name}`).join(' + ')
      return ` cap_${at}_${slot}: ${sum} <= ${nodes - heldAt(held, id, slot)}`
    }).filter((row) => row !== '')
  })
  const names = choices.map(({ name }) => ` ${name}`)
  return [
    'Minimize',
    ` cost: ${costs.join(' + ')}`,
    'Subject To',
    ...once,
    ...capacity,
    'Binary',
    ...names,
    'End',
    '',
  ].join('\n')
}

/** @param isChosen by name of the variable */
export function startsFrom(
  { requests }: Instance,
  choices: readonly Choice[],
  isChosen: (name: string) => boolean,
): Starts {
  const chosen = choices.filter(({ name }) => isChosen(name))
  return requests.map((_, at) => {
    const found = chosen.find(({ request }) => request === at)
    if (found === undefined) throw new Error('every request starts once')
    return { cluster: found.cluster, slot: found.slot }
  })
}
