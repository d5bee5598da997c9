/** Failures that are called by the wrong name. */
import { ProviderError } from '../../../shared/provider-error.ts'
import { type Mutant, detailsOf, as, onCreate, onList, halfWhen } from './breaking.ts'

export const ERRORS: readonly Mutant[] = [
  {
    does: 'says nothing done when the answer to a create is lost',
    breaks: onCreate((error) => (error.code === 'LOST' ? as(error, 'unreachable', { effect: 'none' }) : error)),
    fails: ['create-answer-lost-drop-after', 'create-answer-lost-reset-after', 'nothing-left-after-lost-answer'],
  },
  {
    does: 'says nothing done when a create is answered late',
    breaks: onCreate((error) => (error.code === 'ENDED' ? as(error, 'unreachable', { effect: 'none' }) : error)),
    fails: ['create-answered-late'],
  },
  {
    does: 'says nothing done when a create is answered 500',
    breaks: onCreate((error) => (error.code === '500' ? as(error, 'unreachable', { effect: 'none' }) : error)),
    fails: ['create-500'],
  },
  {
    does: 'says nothing done when the answer to a create is unreadable',
    breaks: onCreate((error) => (error.kind === 'malformed' ? as(error, 'malformed', { effect: 'none' }) : error)),
    fails: ['create-malformed'],
  },
  {
    does: 'calls an unreadable list refused',
    breaks: onList((error) => (error.kind === 'malformed' ? as(error, 'refused') : error)),
    fails: ['list-malformed', 'list-of-another-shape'],
  },
  {
    does: 'takes a list that is answered 503 for an empty one',
    breaks: (good) => ({
      async listNodes(filter, call) {
        try {
          return await good.listNodes(filter, call)
        } catch (error) {
          if (error instanceof ProviderError && error.code === '503') return []
          throw error
        }
      },
    }),
    fails: ['list-503'],
  },
  {
    does: 'does not say how long to wait',
    breaks: onCreate((error) => (error.kind === 'throttled' ? as(error, 'throttled', { retryAfterMs: null }) : error)),
    fails: ['create-throttled', 'create-throttled-until-a-date'],
  },
  {
    does: 'invents a pause that nobody asked for',
    breaks: onList((error) => (error.kind === 'throttled' ? as(error, 'throttled', { retryAfterMs: 1_000 }) : error)),
    fails: ['list-throttled'],
  },
  {
    does: 'fails with an error of its own when a gateway answers',
    breaks: onList((error) => (error.code === '502' ? new TypeError('cannot read properties of undefined') : error)),
    fails: ['errors-only-provider-errors'],
  },
  {
    does: 'repeats all that the operator says',
    breaks: onList((error) =>
      error.kind === 'refused'
        ? new ProviderError('refused', `refused: ${'word '.repeat(1_000)}`, detailsOf(error))
        : error,
    ),
    fails: ['errors-cut-short'],
  },
  {
    does: 'calls a wrong key refused',
    breaksWrongKey: onList((error) => as(error, 'refused')),
    fails: ['key-not-accepted'],
  },
  {
    does: 'shows its key when it is not accepted',
    breaksWrongKey: onList((error) => as(error, error.kind, { providerMessage: 'not accepted: the-wrong-key' })),
    fails: ['key-never-shown'],
  },
  {
    does: 'calls a clock that disagrees malformed',
    breaks: onList((error) => (error.code === 'SKEW' ? as(error, 'malformed') : error)),
    fails: ['clock-ahead', 'clock-behind'],
  },
  {
    does: 'calls a quota a lack of room',
    breaks: onCreate((error) => (error.code === 'QUOTA' ? as(error, 'out-of-capacity') : error)),
    fails: ['quota-exceeded'],
  },
  {
    does: 'calls a lack of room a quota',
    breaks: onCreate((error) => (error.code === 'FULL' ? as(error, 'quota-exceeded') : error)),
    fails: ['out-of-capacity'],
  },
  {
    does: 'makes what the quota leaves room for, and says that nothing was done',
    breaks: halfWhen('quota-exceeded'),
    fails: ['half-a-group-within-quota'],
  },
  {
    does: 'makes what there is room for, and says that nothing was done',
    breaks: halfWhen('out-of-capacity'),
    fails: ['half-a-group-of-room'],
  },
  {
    does: 'shows a failed build without its reason',
    breaks: (good) => ({
      listNodes: async (filter, call) =>
        (await good.listNodes(filter, call)).map((node) => ({ ...node, failure: null })),
    }),
    fails: ['failed-build-shown'],
  },
]
