/** `npm run bench:optimum`: how far the broker's plan, and the plain one, are from the proven optimum of each instance. */
import { table } from '../../broker/cli/screen/table.ts'
import { DEFAULT_POLICY, EARLIEST_FIT_1 } from '../../broker/core/placement/policy.ts'
import { costOf, plannedByBroker, type Proven } from './instance.ts'
import { storedInstances } from './stored.ts'

interface Line {
  readonly name: string
  readonly requests: number
  readonly optimum: number
  readonly searched: number
  readonly plain: number
}

const lineOf = ({ instance, cost }: Proven): Line => ({
  name: instance.name,
  requests: instance.requests.length,
  optimum: cost,
  searched: costOf(instance, plannedByBroker(instance)),
  plain: costOf(instance, plannedByBroker(instance, EARLIEST_FIT_1)),
})

const lines = storedInstances().map(lineOf)
const sumOf = (member: 'optimum' | 'searched' | 'plain'): number => lines.reduce((sum, line) => sum + line[member], 0)
const all = { optimum: sumOf('optimum'), searched: sumOf('searched'), plain: sumOf('plain') }
const ratio = (value: number, optimum: number): string => (value / optimum).toFixed(3)

const text = table<Line>(
  [
    { head: 'instance', value: ({ name }) => name },
    { head: 'requests', align: 'right', value: ({ requests }) => String(requests) },
    { head: 'optimum', align: 'right', value: ({ optimum }) => String(optimum) },
    { head: DEFAULT_POLICY.version, align: 'right', value: ({ searched }) => String(searched) },
    { head: '× optimum', align: 'right', value: ({ searched, optimum }) => ratio(searched, optimum) },
    { head: 'plain × optimum', align: 'right', value: ({ plain, optimum }) => ratio(plain, optimum) },
  ],
  [...lines, { name: 'all', requests: 0, ...all }],
)
const worst = Math.max(...lines.map(({ searched, optimum }) => searched / optimum))
process.stdout.write(`${text}worst ${worst.toFixed(3)}, bars: all 1.020, worst 1.100\n`)
