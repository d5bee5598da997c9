/** Every query that the rules and the dashboards ask. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { DASHBOARDS } from '../../deploy/grafana/source/all.ts'
import { ruleFiles } from './tools.ts'

export interface Asking {
  /** Where it stands. */
  readonly of: string
  readonly expr: string
}

interface RuleFile {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert?: string; readonly record?: string; readonly expr: string }[]
  }[]
}

export const ruleQueries = (): readonly Asking[] =>
  ruleFiles().flatMap((file) => {
    const { groups } = parse(readFileSync(file, 'utf8')) as RuleFile // promtool holds it to its form
    return groups.flatMap(({ rules }) => rules.map(({ alert, record, expr }) => ({ of: alert ?? record ?? '', expr })))
  })

/** With Grafana's variables as they are when all is chosen. */
export const dashboardQueries = (): readonly Asking[] =>
  DASHBOARDS.flatMap(({ name, rows }) =>
    rows.flatMap(({ panels }) =>
      panels.flatMap(({ title, queries }) =>
        queries.map(({ expr }) => ({
          of: `${name} / ${title}`,
          expr: expr.replaceAll('$__rate_interval', '1m').replaceAll(/\$(cluster|provider)\b/g, '.*'),
        })),
      ),
    ),
  )
