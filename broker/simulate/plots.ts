/** Plots as SVG texts: no script, no font, no file from elsewhere, so that a report can be sent by mail. */
import { escaped } from './escape.ts'

const WIDTH = 920
const HEIGHT = 280
const LEFT = 64
const RIGHT = 28
const TOP = 12
const BOTTOM = 40
const INNER_WIDTH = WIDTH - LEFT - RIGHT
const INNER_HEIGHT = HEIGHT - TOP - BOTTOM

export interface Series {
  readonly name: string
  readonly color: string
  readonly values: readonly number[]
}

export interface PlotOptions {
  readonly title: string
  readonly series: readonly Series[]
  /** Under the horizontal axis, spread evenly; for bars one under each group. */
  readonly labels: readonly string[]
  readonly format: (value: number) => string
  /** What the vertical axis must reach; a bar that is longer is cut off there and says its value. Default: the largest value. */
  readonly reaches?: number
}

const fixed = (value: number): string => value.toFixed(1)

/** The least of 1, 2 or 5 times a power of ten that is not below `value`; 1 for nothing. */
export function roundTop(value: number): number {
  if (!(value > 0)) return 1
  let top = 1
  while (top < value) top *= 10
  while (top / 10 >= value) top /= 10
  return [top / 5, top / 2, top].find((candidate) => candidate >= value) ?? top
}

export function linePlot(options: PlotOptions): string {
  const top = topOf(options)
  const lines = options.series.map(({ name, color, values }) => {
    const step = INNER_WIDTH / Math.max(1, values.length - 1)
    const points = values.map((value, at) => `${fixed(LEFT + at * step)},${fixed(heightAt(value, top))}`).join(' ')
    return `<polyline fill="none" stroke="${color}" stroke-width="1.5" points="${points}"><title>${escaped(name)}</title></polyline>`
  })
  const gap = INNER_WIDTH / Math.max(1, options.labels.length - 1)
  return framed(options, top, lines, (at) => LEFT + at * gap)
}

export function barPlot(options: PlotOptions): string {
  const top = topOf(options)
  const group = INNER_WIDTH / Math.max(1, options.labels.length)
  const width = (group * 0.8) / Math.max(1, options.series.length)
  const bars = options.series.flatMap(({ name, color, values }, place) =>
    values.map((value, at) => {
      const x = LEFT + at * group + group * 0.1 + place * width
      const y = heightAt(Math.min(value, top), top)
      const says = `${name}, ${options.labels[at] ?? ''}: ${options.format(value)}`
      const bar = `<rect x="${fixed(x)}" y="${fixed(y)}" width="${fixed(width * 0.92)}" height="${fixed(TOP + INNER_HEIGHT - y)}" fill="${color}"><title>${escaped(says)}</title></rect>`
      if (value <= top) return bar
      const [middle, low] = [fixed(x + width / 2), fixed(TOP + 6)]
      return `${bar}<text x="${middle}" y="${low}" class="cut" transform="rotate(90 ${middle} ${low})">${escaped(options.format(value))}</text>`
    }),
  )
  return framed(options, top, bars, (at) => LEFT + (at + 0.5) * group)
}

const topOf = ({ series, reaches }: PlotOptions): number =>
  roundTop(reaches ?? series.reduce((most, { values }) => values.reduce((a, b) => Math.max(a, b), most), 0))

const heightAt = (value: number, top: number): number => TOP + INNER_HEIGHT * (1 - value / top)

const GRID_LINES = 4

function framed(options: PlotOptions, top: number, marks: readonly string[], xOf: (label: number) => number): string {
  const lines = Array.from({ length: GRID_LINES + 1 }, (_, at) => {
    const value = (top * at) / GRID_LINES
    const y = fixed(heightAt(value, top))
    return `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}" class="grid"/><text x="${LEFT - 8}" y="${y}" class="axis end">${escaped(options.format(value))}</text>`
  })
  const labels = options.labels.map(
    (label, at) =>
      `<text x="${fixed(xOf(at))}" y="${HEIGHT - BOTTOM + 20}" class="axis middle">${escaped(label)}</text>`,
  )
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(options.title)}">${[...lines, ...marks, ...labels].join('\n')}</svg>`
}
