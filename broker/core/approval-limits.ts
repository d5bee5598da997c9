/**
 * Whether an approval still has what is asked of it: nodes at once over the asked period, GPU-time over everything it has
 * committed and used, architectures, validity. Commitments are what `commitmentsOf` says: reserved and waiting.
 */
import { HOUR_MS, toIso, type EpochMs, type Interval } from '../../shared/time.ts'
import { peakNodes, type Commitment } from './commitments.ts'
import { areText, nodesText } from './words.ts'

export interface Limits {
  readonly maxNodes: number
  readonly gpuHours: number
  readonly architectures: readonly string[]
  readonly validFrom: EpochMs
  readonly validTo: EpochMs
}

export const LIMIT_NAMES = ['architectures', 'validFrom', 'validTo', 'maxNodes', 'gpuHours'] as const
export type LimitName = (typeof LIMIT_NAMES)[number]

type Figure = number | string | readonly string[]

export interface Exceeded {
  readonly limit: LimitName
  readonly asked: Figure
  /** What the approval has left of it; for validity and architectures, what it allows. */
  readonly left: Figure
  /** One sentence with the figures. */
  readonly detail: string
}

/** What the approval has committed and used. */
export interface Used {
  /** GPU-milliseconds of everything reserved or waiting. */
  readonly committedGpuMs: number
  /** GPU-milliseconds of allocations that have ended. */
  readonly endedGpuMs: number
  /** Most nodes at once within the interval where that is more than `bound`; else anything up to it. */
  peakAbove(interval: Interval, bound: number): number
}

/** The same from a list of commitments. */
export const usedBy = (commitments: readonly Commitment[], endedGpuMs: number): Used => ({
  committedGpuMs: commitments.reduce((sum, { gpuMs }) => sum + gpuMs, 0),
  endedGpuMs,
  peakAbove: (interval) => peakNodes(commitments, interval),
})

/** One way to serve what is asked: of `fp8H200Equivalent` there is one for each architecture. */
export interface AskedVariant {
  readonly architecture: string
  readonly nodes: number
  readonly gpusPerNode: number
}

export interface Asked {
  /** At least one; the approval must have enough for one of them. */
  readonly variants: readonly AskedVariant[]
  /** As asked: a flexible period's is its earliest start with its length. */
  readonly period: Interval
  /** The last start that the caller allows; null: any. A fixed period has its own start here. */
  readonly latestStart: EpochMs | null
}

export const gpuMsUsed = (used: Used): number => used.committedGpuMs + used.endedGpuMs

/** Rounded down: a part of a millisecond of GPU-time is never given twice. */
export const gpuMsLeft = (limits: Limits, used: Used): number => Math.floor(limits.gpuHours * HOUR_MS) - gpuMsUsed(used)

/** Null when the approval has enough for one of the variants; else the first limit in the way of the first of them. */
export function exceededBy(limits: Limits, used: Used, asked: Asked): Exceeded | null {
  const outside = outsideValidity(limits, asked)
  const allowed = asked.variants.filter((variant) => limits.architectures.includes(variant.architecture))
  if (allowed.length === 0) return notApproved(limits, asked)
  if (outside !== null) return outside
  const exceeded = allowed.map(
    (variant) => tooManyNodes(limits, used, asked, variant) ?? tooMuchTime(limits, used, asked, variant),
  )
  return exceeded.includes(null) ? null : (exceeded[0] ?? null)
}

function notApproved(limits: Limits, asked: Asked): Exceeded {
  const wanted = [...new Set(asked.variants.map((variant) => variant.architecture))]
  const detail = `The approval covers ${limits.architectures.join(', ')}, not ${wanted.join(', ') || 'what is asked'}.`
  return { limit: 'architectures', asked: wanted, left: limits.architectures, detail }
}

function outsideValidity(limits: Limits, { period, latestStart }: Asked): Exceeded | null {
  const lastStart = latestStart ?? Number.POSITIVE_INFINITY
  if (lastStart < limits.validFrom) {
    const detail = `The approval is valid only from ${toIso(limits.validFrom)} on.`
    return { limit: 'validFrom', asked: toIso(lastStart), left: toIso(limits.validFrom), detail }
  }
  // One that may start later starts when the approval does.
  const start = Math.max(period.start, limits.validFrom)
  const end = start + (period.end - period.start)
  if (end <= limits.validTo) return null
  const detail = `The approval is valid until ${toIso(limits.validTo)}; what is asked ends at ${toIso(end)}.`
  return { limit: 'validTo', asked: toIso(end), left: toIso(limits.validTo), detail }
}

function tooManyNodes(limits: Limits, used: Used, { period }: Asked, { nodes }: AskedVariant): Exceeded | null {
  const left = Math.max(0, limits.maxNodes - used.peakAbove(period, limits.maxNodes - nodes))
  if (nodes <= left) return null
  const detail = `${nodesText(nodes)} ${areText(nodes)} asked; of ${limits.maxNodes} at once the approval has ${left} left in that period.`
  return { limit: 'maxNodes', asked: nodes, left, detail }
}

function tooMuchTime(limits: Limits, used: Used, { period }: Asked, variant: AskedVariant): Exceeded | null {
  const askedMs = variant.nodes * variant.gpusPerNode * (period.end - period.start)
  const leftMs = Math.max(0, gpuMsLeft(limits, used))
  if (askedMs <= leftMs) return null
  const asked = askedMs / HOUR_MS
  const left = leftMs / HOUR_MS
  const detail = `${asked} GPU-hours are asked; of ${limits.gpuHours} the approval has ${left} left.`
  return { limit: 'gpuHours', asked, left, detail }
}

/** What is committed, with the architectures that it lies on: what a lowered approval must still cover. */
export interface Committed extends Used {
  readonly commitments: readonly Commitment[]
  /** Architectures of what is reserved. */
  readonly architectures: readonly string[]
}

/** Null when the new limits still cover what is committed; else the first that does not (`limit-below-committed`). */
export function limitBelowCommitted(limits: Limits, committed: Committed): Exceeded | null {
  const missing = committed.architectures.filter((architecture) => !limits.architectures.includes(architecture))
  if (missing.length > 0)
    return below('architectures', missing, limits.architectures, `${missing.join(', ')} is in use`)

  const intervals = committed.commitments.flatMap(({ interval }) => (interval === null ? [] : [interval]))
  const first = intervals.reduce((least, { start }) => Math.min(least, start), Number.POSITIVE_INFINITY)
  if (first < limits.validFrom)
    return below('validFrom', toIso(first), toIso(limits.validFrom), `something is committed from ${toIso(first)} on`)
  const last = intervals.reduce((most, { end }) => Math.max(most, end), 0)
  if (last > limits.validTo)
    return below('validTo', toIso(last), toIso(limits.validTo), `something is committed until ${toIso(last)}`)

  const peak = peakNodes(committed.commitments, { start: 0, end: Number.MAX_SAFE_INTEGER })
  if (peak > limits.maxNodes)
    return below('maxNodes', peak, limits.maxNodes, `${nodesText(peak)} at once ${areText(peak)} committed`)
  const usedMs = gpuMsUsed(committed)
  if (gpuMsLeft(limits, committed) >= 0) return null
  const used = usedMs / HOUR_MS
  return below('gpuHours', used, limits.gpuHours, `${used} GPU-hours are committed or used`)
}

const below = (limit: LimitName, asked: Figure, left: Figure, why: string): Exceeded => ({
  limit,
  asked,
  left,
  detail: `The new ${limit} does not cover what is committed: ${why}.`,
})
