/**
 * How allocations come along: a bar each that grows in place for somebody who looks, and one line for each change that
 * matters for a log.
 */
import type { Allocation, AllocationStatus } from '../../../shared/allocation.ts'
import { type Text, english } from '../text/text.ts'
import { createLive } from './live.ts'
import { type Paint, type Terminal, paintFor } from './terminal.ts'
import { fitTo } from './width.ts'
import { duration, instant } from './words.ts'

export interface Progress {
  show(allocations: readonly Allocation[]): void
  /** What was shown last stays. */
  leave(): void
}

export interface ProgressOptions {
  readonly terminal: Terminal
  readonly now: () => number
  /** In front of each line. */
  readonly indent?: string
  /** Default English. */
  readonly t?: Text
}

const BAR_CELLS = 24
const NAME_CELLS = 22
const CLUSTER_CELLS = 14
const STATUS_CELLS = 12
const COUNT_CELLS = 3

const STYLE: Readonly<Record<AllocationStatus, Parameters<Paint>[0]>> = {
  scheduled: 'cyan',
  waitlisted: 'yellow',
  provisioning: 'cyan',
  active: 'green',
  preempting: 'yellow',
  releasing: 'cyan',
  released: 'dim',
  cancelled: 'dim',
  failed: 'red',
}

/** Time counts from here. */
export function createProgress({ terminal, now, indent = '', t = english }: ProgressOptions): Progress {
  const startedAt = now()
  const paint = paintFor(terminal)
  if (terminal.isInteractive) {
    const live = createLive(terminal)
    return {
      show: (allocations) =>
        live.show(allocations.map((one) => indent + barLine(one, { elapsedMs: now() - startedAt, paint, t }))),
      leave: () => live.leave(),
    }
  }
  const said = new Map<string, string>()
  return {
    show(allocations) {
      for (const one of allocations) {
        const stage = stageOf(one)
        if (said.get(one.id) === stage) continue
        said.set(one.id, stage)
        terminal.write(`${indent}${plainLine(one, now() - startedAt, t)}\n`)
      }
    },
    leave: () => {},
  }
}

/** `name  nhn-b200-510  ██████░░░░  128 of 255 nodes ready  provisioning  12.0 s`. */
interface BarOptions {
  readonly elapsedMs: number
  readonly paint: Paint
  readonly t: Text
}

function barLine(allocation: Allocation, { elapsedMs, paint, t }: BarOptions): string {
  const { name, status, placement } = allocation
  const filled = Math.floor(BAR_CELLS * shareReady(allocation))
  const bar = paint(STYLE[status], '█'.repeat(filled)) + paint('dim', '░'.repeat(BAR_CELLS - filled))
  return [
    fitTo(NAME_CELLS, name),
    fitTo(CLUSTER_CELLS, placement?.clusterId ?? ''),
    bar,
    nodesText(allocation, t, COUNT_CELLS),
    paint(STYLE[status], fitTo(STATUS_CELLS, status)),
    duration(elapsedMs),
    waitText(allocation, t),
  ]
    .filter((part) => part !== '')
    .join('  ')
}

function plainLine(allocation: Allocation, elapsedMs: number, t: Text): string {
  const { name, status, statusReason, placement } = allocation
  const what = statusReason === null ? status : `${status} (${statusReason})`
  const placed = placement === null ? what : t('{status} at {cluster}', { status: what, cluster: placement.clusterId })
  const parts = [placed, nodesText(allocation, t), duration(elapsedMs), waitText(allocation, t)]
  return `${name}: ${parts.filter((part) => part !== '').join(', ')}`
}

const shareReady = ({ nodes }: Allocation): number =>
  nodes.desired === 0 ? 0 : Math.min(1, nodes.ready / nodes.desired)

function nodesText({ nodes }: Allocation, t: Text, cells = 0): string {
  const ready = t('{part} of {whole} nodes ready', { part: String(nodes.ready).padStart(cells), whole: nodes.desired })
  return nodes.failed === 0 ? ready : `${ready}, ${t('{count} failed', { count: nodes.failed })}`
}

function waitText({ waitlist }: Allocation, t: Text): string {
  if (waitlist === null) return ''
  const { position, estimatedStart, promisedStart, reason } = waitlist
  if (estimatedStart === null) return t('no. {position} in line, no start in sight: {reason}', { position, reason })
  const expected = t('no. {position} in line, start expected {start} UTC', { position, start: instant(estimatedStart) })
  return promisedStart === null
    ? expected
    : `${expected}, ${t('{latest} UTC at the latest', { latest: instant(promisedStart) })}`
}

/** What a log hears of: each status, each quarter of the nodes, each other estimate. */
const stageOf = (allocation: Allocation): string =>
  JSON.stringify([
    allocation.status,
    Math.floor(shareReady(allocation) * 4),
    allocation.nodes.failed,
    allocation.waitlist?.position,
    allocation.waitlist?.estimatedStart,
  ])
