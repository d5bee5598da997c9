/** What the last sweep of a provider found that is not as it should be. */
import { z } from 'zod'
import { OwnerChosenId } from './ids.ts'
import { Instant, InstantOrNull, lineOfText } from './text.ts'

export const SWEEP_KINDS = ['orphan', 'missing', 'unknown', 'leftover'] as const
export type SweepKind = (typeof SWEEP_KINDS)[number]

export const SWEEP_ACTIONS = ['watch', 'delete', 'hold', 'repair', 'ask', 'drain', 'ignore', 'retry'] as const
export type SweepAction = (typeof SWEEP_ACTIONS)[number]

export const SweepFinding = z
  .strictObject({
    kind: z.enum(SWEEP_KINDS).meta({
      description:
        '`orphan`: carries our tag, and its allocation does not want it. `missing`: stands as far as we know, and is not listed. `unknown`: carries our tag, and there is no such allocation (after a restore). `leftover`: not ours and in our way, or ours beside a node and not to be removed.',
    }),
    providerInstanceId: z.string(),
    name: z.string(),
    since: Instant.meta({ description: 'When a sweep first found it.' }),
    action: z.enum(SWEEP_ACTIONS).meta({
      description:
        '`watch`: the next look decides. `delete`: the operator has been asked. `hold`: would be deleted, and may not be: see the freeze, the hold after a restore, and the bound per hour. `repair`: its allocation is looked at at once. `ask`: a person has to adopt or delete it; until then it counts as taken. `drain`: somebody else’s; counts as out of service, and is never touched. `ignore`: somebody else’s, and a person has said that it is in nobody’s way. `retry`: the operator does not let it go yet.',
    }),
  })
  .meta({ id: 'SweepFinding' })
export type SweepFinding = z.infer<typeof SweepFinding>

export const Reconciliation = z
  .strictObject({
    startedAt: InstantOrNull.meta({ description: 'Null until the first sweep has ended.' }),
    durationMs: z.int().min(0).nullable(),
    findings: z.array(SweepFinding).meta({ description: 'The oldest first, at most 1,000.' }),
  })
  .meta({ id: 'Reconciliation' })
export type Reconciliation = z.infer<typeof Reconciliation>

/** What the broker cannot know of an allocation that it has forgotten. */
export const AdoptRequest = z
  .strictObject({
    approvalId: OwnerChosenId.meta({ description: 'Whose it is, and what it counts against.' }),
    end: Instant.meta({ description: 'When it is given back.' }),
    name: lineOfText(128).optional().meta({ description: 'Default: the name of its first node.' }),
  })
  .meta({ id: 'AdoptRequest' })
export type AdoptRequest = z.infer<typeof AdoptRequest>

/** Whether nothing is deleted at operators that no person has asked for. */
export const HeldDeletes = z.strictObject({ deletesHeld: z.boolean() }).meta({ id: 'HeldDeletes' })
export type HeldDeletes = z.infer<typeof HeldDeletes>
