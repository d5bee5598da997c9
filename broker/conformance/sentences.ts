/**
 * The sentences of the contract that cases stand for, word for word as `shared/provider.ts` and `shared/provider-error.ts`
 * have them (a test holds the two together): whoever fails a case reads what was agreed, not what a test author meant.
 */
export const SAYS = {
  // What holds for all calls.
  onlyProviderErrors: 'All calls reject with a `ProviderError` and nothing else.',
  deadline: 'When the caller stops waiting. Waiting for the rate limit counts against it. Past it: `unreachable`.',
  abort: 'The caller’s own end; after it no further request leaves the adapter.',
  noAnswer: 'no answer, or a 5xx; the call may or may not have had effect',
  throttled: 'too many calls; nothing was done',
  retryAfter: 'How long the operator asked us to wait, in ms.',
  unauthenticated: 'our key is not accepted: waits, and pages',
  unreadable: 'an answer that we cannot read',
  ownWords:
    'The operator’s own words, cut to 500 characters, without what may be a secret; never a header or a request body.',
  noEffect: '`none`: surely nothing happened.',
  // Declarations.
  ping: 'A cheap authenticated read: resolves when the operator answers.',
  describe:
    'The clusters that it serves, and whether the configured images, specs and networks exist there. Changes nothing.',
  problems: 'What is configured but was not found at the operator, in words; empty when all is well.',
  maxBatch: 'Most nodes in one `createNodes`, ≥ 1.',
  joinsFabric: 'Whether nodes must be made one interconnect group by `joinFabric` before they are of use.',
  freeCapacity: 'Free nodes in a cluster as the operator tells it, or null where it does not.',
  // Creation.
  members: 'Written down by the caller before the call; members are `<name>-<n>`, n = 1…size.',
  memberName: 'The member name, `<group>-<n>`: an adapter whose operator names members differently translates.',
  sshKeys: '`authorized_keys` lines to place on every node; may be empty.',
  accepted:
    'Asks for one group and returns once the operator has accepted it, usually minutes before the nodes are ready;',
  answersWhatItKnows: 'answers what it knows (perhaps nothing): `listNodes` is the truth.',
  twice: 'Twice with one name makes at most what once makes, as far as lists show it',
  shortage: '`out-of-capacity`, `quota-exceeded`, `refused` with effect `none`, unless some were made;',
  maybe: '`unreachable` or `malformed` with effect `maybe`: list, for the visibility delay, before asking again',
  noRoom: 'it understood and has no room',
  noQuota: 'it has room, and we may not have it',
  refused: 'it understood and will not: image, name, request',
  failure: 'Why it failed, in the operator’s words; null unless `failed`.',
  // Lists.
  allPages: 'What exists, all pages, each node once.',
  missing: 'A node is missing only if it does not exist (or was made less than the visibility delay ago).',
  foreign: 'Nodes of other installations, or without a tag, are never in it',
  filter: '`installationId` alone: all that carry our installation. With `allocationId`: only that allocation’s.',
  adopted:
    'Provider instance ids of nodes that were taken over while they were in use: those that exist are listed beside the others, under whatever name and tag they have.',
  others: 'each node there that does not carry the installation’s tag, all pages, each once',
  // Deletion.
  asked: 'Asks for these nodes to go, by provider instance id.',
  gone: 'Accepted or already gone is success; the proof is a later list without them.',
  notYet: 'A node in a state that cannot be deleted yet is taken as far as it goes: call again (`busy`).',
  // Beside the nodes.
  declarative: 'Declarative: makes exactly these nodes one interconnect group; repeatable.',
  dissolves: 'Dissolves the allocation’s group; none there is success; repeatable.',
  leftovers: 'Finds and removes what this installation made beside nodes and no longer needs.',
  ended:
    '`allocationsEnded`: all that belong to these may go; of the others, only what a node that is up has no more use for.',
  untagged: 'Touches nothing without this installation’s tag.',
} as const
