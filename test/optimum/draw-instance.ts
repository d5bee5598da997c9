/** Instances drawn from a seed: the programme's five clusters in use, and 20 to 40 requests that wait for them. */
import { draw } from '../../broker/simulate/draw.ts'
import type { Instance } from './instance.ts'

const CLUSTERS = [
  { id: 'kakao-b200-255', architecture: 'blackwell', nodes: 255 },
  { id: 'naver-h200-255', architecture: 'hopper', nodes: 255 },
  { id: 'naver-h200-32', architecture: 'hopper', nodes: 32 },
  { id: 'nhn-b200-255', architecture: 'blackwell', nodes: 255 },
  { id: 'nhn-b200-510', architecture: 'blackwell', nodes: 510 },
] as const

/** Sizes as a stretched log of Theta has them, the small ones often. */
const SIZES = [15, 15, 16, 30, 30, 32, 60, 60, 64, 94, 120, 240] as const
const LARGE = [360, 474] as const
const BIG = { nodes: 120, weight: 3 }
const MOST_SLOTS = 4
const MOST_HELD_SLOTS = 4

export function drawInstance(seed: number): Instance {
  let drawn = 0
  const below = (bound: number): number => {
    drawn += 1
    return Math.floor(draw(seed, 'organization', drawn) * bound)
  }
  const oneOf = (values: readonly number[]): number => values[below(values.length)] ?? 0
  const held = CLUSTERS.flatMap(({ id, nodes }) => {
    const parts = 1 + below(3)
    return Array.from({ length: parts }, () => ({
      cluster: id,
      nodes: Math.floor(nodes / parts) - below(Math.floor(nodes / (2 * parts))),
      until: 1 + below(MOST_HELD_SLOTS),
    }))
  })
  const requests = Array.from({ length: 20 + below(21) }, () => {
    const isHopper = below(100) < 22
    const nodes = isHopper ? oneOf(SIZES) : oneOf(below(15) === 0 ? LARGE : SIZES)
    return { architecture: isHopper ? 'hopper' : 'blackwell', nodes, slots: 1 + below(MOST_SLOTS) }
  })
  return { name: `seed-${seed}`, clusters: [...CLUSTERS], held, requests, big: BIG }
}
