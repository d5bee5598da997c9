/** The optimum of an instance, proven by HiGHS. */
import highsModule from 'highs'
import { DEFAULT_POLICY, type Policy } from '../../broker/core/placement/policy.ts'
import { costOf, plannedByBroker, type Instance, type Proven } from './instance.ts'
import { choicesOf, lpOf, startsFrom } from './model.ts'

/** Its types say `default` twice, and it is there once: the package is CommonJS. */
const loadHighs = highsModule as unknown as (typeof highsModule)['default']

/** Many times the tries of production: the better the plan to begin with, the fewer slots have to be looked at. */
const THOROUGH: Policy = {
  ...DEFAULT_POLICY,
  search: DEFAULT_POLICY.search && { ...DEFAULT_POLICY.search, placements: 600_000, patience: 2_000 },
}

/** @returns null where it could not be proven within the time */
export async function prove(instance: Instance, withinSeconds: number): Promise<Proven | null> {
  const choices = choicesOf(instance, costOf(instance, plannedByBroker(instance, THOROUGH)))
  const highs = await loadHighs()
  const options = { time_limit: withinSeconds, mip_rel_gap: 0, output_flag: false }
  const solution = highs.solve(lpOf(instance, choices), options)
  if (solution.Status !== 'Optimal') return null
  const columns: Readonly<Record<string, object>> = solution.Columns
  const starts = startsFrom(instance, choices, (name) => {
    const column = columns[name]
    return column !== undefined && 'Primal' in column && Number(column.Primal) > 0.5
  })
  return { instance, cost: costOf(instance, starts), starts }
}
