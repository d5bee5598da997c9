/** A panel as its dashboards describe it, and the JSON that Grafana (10 or later) makes of that. */

/** Grafana's ids of units. */
export type Unit = 'short' | 's' | 'percentunit' | 'reqps' | 'ops' | 'none'

interface Query {
  readonly expr: string
  /** Of the series, with its labels as `{{label}}`. */
  readonly legend: string
}

interface Threshold {
  readonly from: number
  readonly color: 'green' | 'yellow' | 'red'
}

export interface Panel {
  readonly title: string
  /** What it shows, and what to make of it. */
  readonly description: string
  readonly kind: 'graph' | 'stacked' | 'number' | 'bars' | 'states' | 'table'
  readonly unit: Unit
  readonly queries: readonly Query[]
  /** Of 24 columns; default 8. */
  readonly width?: number
  /** Green below the first one. */
  readonly thresholds?: readonly Threshold[]
  /** What a value is called. */
  readonly names?: Readonly<Record<number, { readonly text: string; readonly color: string }>>
  readonly min?: number
  readonly max?: number
  /** The page that says what to do, by its file's name. */
  readonly runbook?: string
}

export const graph = (panel: Omit<Panel, 'kind'>): Panel => ({ kind: 'graph', min: 0, ...panel })
export const stacked = (panel: Omit<Panel, 'kind'>): Panel => ({ kind: 'stacked', min: 0, ...panel })
export const number = (panel: Omit<Panel, 'kind'>): Panel => ({ kind: 'number', width: 4, ...panel })
export const bars = (panel: Omit<Panel, 'kind'>): Panel => ({ kind: 'bars', min: 0, ...panel })
export const states = (panel: Omit<Panel, 'kind'>): Panel => ({ kind: 'states', ...panel })
export const table = (panel: Omit<Panel, 'kind'>): Panel => ({ kind: 'table', ...panel })

/** Something that is 0 while all is well. */
export const BAD_ABOVE_ZERO: readonly Threshold[] = [{ from: 1, color: 'red' }]

/** The stand-in that `deploy/prometheus/README.md` says how to replace. */
const RUNBOOKS = 'https://docs.gpu-broker.example/runbooks'

export const DATASOURCE = { type: 'prometheus', uid: '${datasource}' } as const

const TYPE = {
  graph: 'timeseries',
  stacked: 'timeseries',
  number: 'stat',
  bars: 'bargauge',
  states: 'state-timeline',
  table: 'table',
} as const satisfies Record<Panel['kind'], string>

const LAST = { calcs: ['lastNotNull'], fields: '', values: false } as const
const LEGEND = { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] } as const

const OPTIONS: Readonly<Record<Panel['kind'], object>> = {
  graph: { legend: LEGEND, tooltip: { mode: 'multi', sort: 'desc' } },
  stacked: { legend: LEGEND, tooltip: { mode: 'multi', sort: 'desc' } },
  number: {
    reduceOptions: LAST,
    colorMode: 'background',
    graphMode: 'area',
    justifyMode: 'auto',
    orientation: 'auto',
    textMode: 'auto',
  },
  bars: {
    reduceOptions: LAST,
    orientation: 'horizontal',
    displayMode: 'basic',
    valueMode: 'color',
    showUnfilled: true,
  },
  states: { legend: LEGEND, mergeValues: true, rowHeight: 0.8, showValue: 'auto', tooltip: { mode: 'single' } },
  table: { showHeader: true, cellHeight: 'sm', footer: { show: false } },
}

const CUSTOM: Readonly<Record<Panel['kind'], object>> = {
  graph: { drawStyle: 'line', lineWidth: 1, fillOpacity: 8, showPoints: 'never', spanNulls: 60_000 },
  stacked: {
    drawStyle: 'line',
    lineWidth: 1,
    fillOpacity: 60,
    showPoints: 'never',
    stacking: { mode: 'normal', group: 'A' },
  },
  number: {},
  bars: {},
  states: { fillOpacity: 80, lineWidth: 0 },
  table: { align: 'auto', cellOptions: { type: 'auto' } },
}

export interface Place {
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
}

export function panelJson(panel: Panel, id: number, gridPos: Place): object {
  const { kind, thresholds = [], names, min, max, runbook } = panel
  const isInstant = kind === 'bars' || kind === 'table'
  const hasLines = thresholds.length > 0 && kind === 'graph'
  return {
    id,
    type: TYPE[kind],
    title: panel.title,
    description: panel.description,
    gridPos,
    datasource: DATASOURCE,
    targets: panel.queries.map(({ expr, legend }, at) => ({
      refId: String.fromCodePoint(65 + at),
      datasource: DATASOURCE,
      editorMode: 'code',
      expr,
      legendFormat: legend,
      instant: isInstant,
      range: !isInstant,
      ...(kind === 'table' ? { format: 'table' } : {}),
    })),
    fieldConfig: {
      defaults: {
        unit: panel.unit,
        ...(min === undefined ? {} : { min }),
        ...(max === undefined ? {} : { max }),
        color: { mode: kind === 'graph' || kind === 'stacked' ? 'palette-classic' : 'thresholds' },
        custom: { ...CUSTOM[kind], ...(hasLines ? { thresholdsStyle: { mode: 'dashed' } } : {}) },
        mappings: names === undefined ? [] : [{ type: 'value', options: namesJson(names) }],
        thresholds: {
          mode: 'absolute',
          steps: [{ color: 'green', value: null }, ...thresholds.map(({ from, color }) => ({ color, value: from }))],
        },
      },
      overrides: [],
    },
    options: OPTIONS[kind],
    links:
      runbook === undefined
        ? []
        : [{ title: `Runbook: ${runbook}`, url: `${RUNBOOKS}/${runbook}.md`, targetBlank: true }],
  }
}

const namesJson = (names: NonNullable<Panel['names']>): object =>
  Object.fromEntries(Object.entries(names).map(([value, name], index) => [value, { ...name, index }]))
