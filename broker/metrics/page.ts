/** The page of all metrics, written from their definitions. */
import { DEFINITIONS } from './all.ts'
import { API } from './api.ts'
import { DECIDING } from './deciding.ts'
import type { Definition } from './definition.ts'
import { EVENTS } from './events.ts'
import { FLEET } from './fleet.ts'
import { INSIDE } from './inside.ts'
import { PROVIDERS } from './providers.ts'
import { WAITING } from './waiting.ts'

const SECTIONS: readonly (readonly [title: string, definitions: Readonly<Record<string, Definition>>])[] = [
  ['The API', API],
  ['Decisions', DECIDING],
  ['Who waits', WAITING],
  ['The fleet', FLEET],
  ['Operators', PROVIDERS],
  ['Events and webhooks', EVENTS],
  ['The broker itself', INSIDE],
]

const BEGINNING = `# Metrics

Written by \`npm run metrics:docs\` from \`broker/metrics/\`; a change is made there. \`npm run check\` fails when this page is behind.

\`http://127.0.0.1:9464/metrics\` (\`METRICS_PORT\`) answers without a token, as Prometheus’ text or as OpenMetrics, whichever
the scraper accepts. Every replica is scraped. Counters and histograms are of the replica; gauges of the fleet, of those who
wait, of sweeps and of webhooks are read from the store at each scrape and are the same on every replica: take \`max\` over
replicas, not \`sum\`. While the database is away they are left out, and \`gpu_broker_database_up\` is 0. Labels are bounded
sets; no metric carries an id of an allocation, an organisation or a node.

Histograms marked *exemplars* carry, in OpenMetrics, the trace id of the last observation of each bucket: the same id as in
the log and in [traces](tracing.md).
`

const kindOf = ({ type }: Definition): string => (type === 'traced histogram' ? 'histogram, exemplars' : type)

const labelsOf = ({ labels }: Definition): string =>
  labels.length === 0 ? 'none' : labels.map((label) => `\`${label}\``).join(', ')

const entry = (one: Definition): string => `### \`${one.name}\`

${one.help}

| type | unit | labels |
|---|---|---|
| ${kindOf(one)} | ${one.unit === 'none' ? 'none' : one.unit === 'one' ? 'a count' : one.unit} | ${labelsOf(one)} |

Look next: ${one.next}
`

/** @returns Markdown */
export function metricsPage(): string {
  const parts = SECTIONS.flatMap(([title, definitions]) => [`## ${title}\n`, ...Object.values(definitions).map(entry)])
  const described = SECTIONS.flatMap(([, definitions]) => Object.values(definitions)).length
  if (described !== Object.keys(DEFINITIONS).length) throw new Error('a metric stands in no section')
  return [BEGINNING, ...parts].join('\n')
}
