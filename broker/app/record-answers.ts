/** What the provider answered to what was asked for: when to ask again, and whether to ask here at all. */
import type { ProviderError, ProviderErrorKind } from '../../shared/provider-error.ts'
import { type EpochMs, MINUTE_MS, SECOND_MS } from '../../shared/time.ts'
import type { Undoing } from '../store/schema.ts'
import { type Claim, claimed } from './claim.ts'
import type { Draft } from './draft.ts'
import type { NodeGroupRow } from '../store/changes.ts'
import type { Member } from './decide-group.ts'
import { avoidingHere, undo } from './record-look.ts'

export interface GroupAnswer {
  readonly group: string
  /** When it came, or was not waited for any longer. */
  readonly at: EpochMs
  /** Null: accepted. */
  readonly error: ProviderError | null
}

/** What follows from a create that was answered with an error. */
const FOLLOWS: Readonly<Record<ProviderErrorKind, 'ask-again' | 'place-again' | 'fail'>> = {
  unreachable: 'ask-again',
  throttled: 'ask-again',
  busy: 'ask-again',
  malformed: 'ask-again',
  unauthenticated: 'ask-again', // waits, and pages: our key is wrong, not the allocation
  'out-of-capacity': 'place-again',
  'quota-exceeded': 'place-again',
  refused: 'fail',
  'not-found': 'fail', // an image, a network or a spec that is configured and does not exist
}

const FIRST_PAUSE_MS = 2 * SECOND_MS
const LONGEST_PAUSE_MS = MINUTE_MS

/** Twice as long each time, at most a minute; never shorter than the provider asked for. */
export function pauseMs(attempts: number, retryAfterMs: number | null): number {
  const doubled = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(10, Math.max(0, attempts - 1)))
  return Math.max(doubled, retryAfterMs ?? 0)
}

export function recordAnswers(claim: Claim, answers: readonly GroupAnswer[]): Member<void> {
  return {
    // An error is noted with each node; what was accepted is nothing but its group's.
    needs: { allocations: [claim.id], groups: true, nodes: answers.some(({ error }) => error !== null) },
    decide(draft) {
      const row = claimed(draft, claim)
      if (row === null) return
      const groups = new Map(draft.groupsOf(row.id).map((group) => [group.name, group]))
      for (const answer of answers) {
        const group = groups.get(answer.group)
        if (group !== undefined) noteAnswer(draft, group, answer)
      }
      const given = giveUpFor(answers)
      if (given !== null && row.status === 'provisioning' && row.undoing === null) {
        draft.save(undo(given.next === 'fail' ? row : avoidingHere(draft, row), given, draft.now))
      }
    },
  }
}

function noteAnswer(draft: Draft, group: NodeGroupRow, { at, error }: GroupAnswer): void {
  // What was made may have been made at any instant up to then, so the visibility delay runs from there. The pause is for
  // an operator that says yes and makes nothing: it is not asked at full speed for ever.
  const answered = {
    ...group,
    askedAt: at,
    notBefore: at + pauseMs(group.attempts, error?.retryAfterMs ?? null),
  }
  if (error === null) return draft.saveGroup({ ...answered, effect: 'accepted' })
  draft.saveGroup({ ...answered, effect: error.effect })
  for (const node of draft.nodesOf(group.allocationId)) {
    if (node.groupName !== group.name) continue
    draft.saveNode({
      ...node,
      lastError: { kind: error.kind, code: error.code, message: error.providerMessage ?? error.message },
    })
  }
}

/** The first answer that ends the attempt here; failing for good goes before placing again. */
function giveUpFor(answers: readonly GroupAnswer[]): Undoing | null {
  for (const next of ['fail', 'place-again'] as const) {
    const error = answers.find((answer) => answer.error !== null && FOLLOWS[answer.error.kind] === next)?.error
    if (error) return { next, kind: error.kind, code: error.code, message: error.providerMessage ?? error.message }
  }
  return null
}
