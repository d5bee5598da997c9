/** A dashboard: rows of panels, laid out from left to right, with the variables that its queries use. */
import { DATASOURCE, type Panel, panelJson, type Place } from './panel.ts'

export interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
}

/** A label of the metrics that one can choose values of. */
export interface Variable {
  readonly name: 'provider' | 'cluster'
  /** A metric that has the label. */
  readonly of: string
}

export interface Dashboard {
  /** Its file's name, and the end of its uid. */
  readonly name: string
  readonly title: string
  readonly description: string
  readonly variables: readonly Variable[]
  readonly rows: readonly Row[]
}

const COLUMNS = 24
const DEFAULT_WIDTH = 8
const HEIGHT = { graph: 8, stacked: 8, number: 4, bars: 8, states: 8, table: 8 } as const satisfies Record<
  Panel['kind'],
  number
>

/** Grafana 10.4's; later ones read it and bring it up to date. */
const SCHEMA_VERSION = 39

export const dashboardJson = ({ name, title, description, variables, rows }: Dashboard): object => ({
  uid: `gpu-broker-${name}`,
  title,
  description,
  tags: ['gpu-broker'],
  timezone: 'browser',
  editable: true,
  graphTooltip: 1,
  schemaVersion: SCHEMA_VERSION,
  version: 1,
  refresh: '30s',
  time: { from: 'now-6h', to: 'now' },
  links: [{ type: 'dashboards', title: 'gpu-broker', tags: ['gpu-broker'], asDropdown: false, keepTime: true }],
  annotations: { list: [ALERTS] },
  templating: { list: [DATASOURCE_VARIABLE, ...variables.map(variableJson)] },
  panels: laidOut(rows),
})

/** Where an alert of ours was firing. */
const ALERTS = {
  name: 'Pages',
  datasource: DATASOURCE,
  enable: true,
  iconColor: 'red',
  expr: 'ALERTS{alertname=~"GpuBroker.+", alertstate="firing", severity="page"}',
  titleFormat: '{{alertname}} {{provider}}{{cluster}}',
  step: '60s',
}

const DATASOURCE_VARIABLE = {
  name: 'datasource',
  label: 'Prometheus',
  type: 'datasource',
  query: 'prometheus',
} as const

function variableJson({ name, of }: Variable): object {
  const query = `label_values(${of}, ${name})`
  return {
    name,
    label: name,
    type: 'query',
    datasource: DATASOURCE,
    query: { query, refId: name },
    definition: query,
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { text: ['All'], value: ['$__all'] },
  }
}

function laidOut(rows: readonly Row[]): readonly object[] {
  const made: object[] = []
  let y = 0
  for (const row of rows) {
    made.push({ id: made.length + 1, type: 'row', title: row.title, collapsed: false, panels: [], gridPos: rowAt(y) })
    y += 1
    let x = 0
    let lineHeight = 0
    for (const panel of row.panels) {
      const [w, h] = [panel.width ?? DEFAULT_WIDTH, HEIGHT[panel.kind]]
      if (x + w > COLUMNS) {
        ;[x, y, lineHeight] = [0, y + lineHeight, 0]
      }
      made.push(panelJson(panel, made.length + 1, { x, y, w, h }))
      x += w
      lineHeight = Math.max(lineHeight, h)
    }
    y += lineHeight
  }
  return made
}

const rowAt = (y: number): Place => ({ x: 0, y, w: COLUMNS, h: 1 })
