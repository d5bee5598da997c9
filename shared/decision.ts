/** Decisions: what was chosen, among which candidates, and why. */
import { z } from 'zod'
import { DecisionId, OwnerChosenId } from './ids.ts'
import { Instant, InstantOrNull } from './text.ts'

export const RULES = [
  'suspended',
  'share',
  'stage',
  'provider',
  'architecture',
  'gpu-model',
  'cooling',
  'cluster-size',
  'image',
  'free-nodes',
  'approval-window',
  'horizon',
  'circuit-open',
] as const
export const RuleName = z.enum(RULES)
export type RuleName = z.infer<typeof RuleName>

const figure = z.union([z.string(), z.number(), z.boolean(), z.array(z.string()), z.null()])

export const Reason = z
  .strictObject({
    rule: RuleName,
    wanted: figure,
    found: figure,
    detail: z.string().meta({ description: 'One sentence with the figures.' }),
  })
  .meta({ id: 'Reason' })
export type Reason = z.infer<typeof Reason>

const part = z.number().min(0).max(1)

export const Candidate = z
  .strictObject({
    clusterId: OwnerChosenId,
    nodes: z.int().min(0),
    gpus: z.int().min(0),
    feasible: z.boolean(),
    earliestStart: InstantOrNull,
    score: z.number().nullable(),
    scoreParts: z.strictObject({ preference: part, fit: part, energy: part, balance: part }).nullable(),
    reasons: z.array(Reason),
  })
  .meta({ id: 'Candidate' })
export type Candidate = z.infer<typeof Candidate>

export const PlacementPreview = z
  .strictObject({ best: OwnerChosenId.nullable(), candidates: z.array(Candidate) })
  .meta({ id: 'PlacementPreview' })
export type PlacementPreview = z.infer<typeof PlacementPreview>

export const DECISION_KINDS = [
  'place',
  'waitlist',
  'promote',
  'replan',
  'preempt',
  'relocate',
  'extend',
  'shrink',
  'reject',
] as const
export const DecisionKind = z.enum(DECISION_KINDS)
export type DecisionKind = z.infer<typeof DecisionKind>

export const Decision = z
  .strictObject({
    decisionId: DecisionId,
    at: Instant,
    kind: DecisionKind,
    policyVersion: z.string(),
    inputDigest: z.string().meta({ description: 'SHA-256 over all that the decision depended on, in hex.' }),
    candidates: z.array(Candidate),
    outcome: z
      .record(z.string(), z.unknown())
      .meta({ description: 'What was decided: cluster, nodes, start, end; or why not.' }),
    supersedes: DecisionId.nullable(),
  })
  .meta({ id: 'Decision' })
export type Decision = z.infer<typeof Decision>
