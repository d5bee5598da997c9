/**
 * How allocations come along: a bar each that grows in place for somebody who looks, and one line for each change that
 * matters for a log.
 */
import type { Allocation, AllocationStatus } from '../../../shared/allocation.ts'
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
}

const BAR_CELLS = 24
const NAME_CELLS = 22
const CLUSTER_CELLS = 14
const STATUS_CELLS = 12

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
export function createProgress({ terminal, now, indent = '' }: ProgressOptions): Progress {
  const startedAt = now()
  const paint = paintFor(terminal)
  if (terminal.isInteractive) {
    const live = createLive(terminal)
    return {
      show: (allocations) =>
        live.show(allocations.map((one) => indent + barLine(one, { elapsedMs: now() - startedAt, paint }))),
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
        terminal.write(`${indent}${plainLine(one, now() - startedAt)}\n`)
      }
    },
    leave: () => {},
  }
}

/** `name  nhn-b200-510  ██████░░░░  128 of 255 nodes ready  provisioning  12.0 s`. */
export function barLine(allocation: Allocation, { elapsedMs, paint }: { elapsedMs: number; paint: Paint }): string {
  const { name, status, placement } = allocation
  const filled = Math.floor(BAR_CELLS * shareReady(allocation))
  const bar = paint(STYLE[status], '█'.repeat(filled)) + paint('dim', '░'.repeat(BAR_CELLS - filled))
  return [
    fitTo(NAME_CELLS, name),
    fitTo(CLUSTER_CELLS, placement?.clusterId ?? ''),
    bar,
    nodesText(allocation),
    paint(STYLE[status], fitTo(STATUS_CELLS, status)),
    duration(elapsedMs),
    waitText(allocation),
  ]
    .filter((part) => part !== '')
    .join('  ')
}

export function plainLine(allocation: Allocation, elapsedMs: number): string {
  const { name, status, statusReason, placement } = allocation
  const where = placement === null ? '' : ` at ${placement.clusterId}`
  const why = statusReason === null ? '' : ` (${statusReason})`
  const wait = waitText(allocation)
  return `${name}: ${status}${why}${where}, ${nodesText(allocation).trim()}, ${duration(elapsedMs)}${wait === '' ? '' : `, ${wait}`}`
}

const shareReady = ({ nodes }: Allocation): number =>
  nodes.desired === 0 ? 0 : Math.min(1, nodes.ready / nodes.desired)

const nodesText = ({ nodes }: Allocation): string =>
  `${String(nodes.ready).padStart(3)} of ${nodes.desired} nodes ready${nodes.failed === 0 ? '' : `, ${nodes.failed} failed`}`

function waitText({ waitlist }: Allocation): string {
  if (waitlist === null) return ''
  const { position, estimatedStart, promisedStart, reason } = waitlist
  if (estimatedStart === null) return `no. ${position} in line, no start in sight: ${reason}`
  const promise = promisedStart === null ? '' : `, ${instant(promisedStart)} UTC at the latest`
  return `no. ${position} in line, start expected ${instant(estimatedStart)} UTC${promise}`
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
