/** How figures read for people, in the terminal and on the page alike. */
import type { Figures } from './figures.ts'

export interface FigureColumn {
  readonly head: string
  readonly member: Exclude<keyof Figures, 'name'>
  readonly as: 'hours' | 'ratio' | 'share' | 'count'
}

export const COLUMNS: readonly FigureColumn[] = [
  { head: 'mean wait h', member: 'meanWaitHours', as: 'hours' },
  { head: 'p95 wait h', member: 'p95WaitHours', as: 'hours' },
  { head: 'slowdown', member: 'boundedSlowdown', as: 'ratio' },
  { head: 'big mean h', member: 'bigMeanWaitHours', as: 'hours' },
  { head: 'big p95 h', member: 'bigP95WaitHours', as: 'hours' },
  { head: 'use', member: 'use', as: 'share' },
  { head: '255 fit', member: 'fits255', as: 'share' },
  { head: '510 fit', member: 'fits510', as: 'share' },
  { head: 'slips', member: 'promisesSlipped', as: 'count' },
]

const TEXT: Readonly<Record<FigureColumn['as'], (value: number) => string>> = {
  hours: (value) => value.toFixed(1),
  ratio: (value) => value.toFixed(2),
  share: (value) => `${(value * 100).toFixed(1)} %`,
  count: String,
}

/** A dash where there is nothing that it could be a figure of. */
export function figureText(figures: Figures, { member, as }: FigureColumn): string {
  const value = figures[member]
  return value === null ? '–' : TEXT[as](value)
}
