/** Wanted nodes, groups and listed nodes for the tests of `core/reconcile.ts`: one group of three, asked for long ago. */
import type { AskedGroup, Plan, Situation, Step, WantedNode } from '../../broker/core/reconcile.ts'
import type { ProviderNode } from '../../shared/provider.ts'
import type { EpochMs } from '../../shared/time.ts'

export const NOW: EpochMs = Date.parse('2027-01-04T10:00:00Z')
export const VISIBILITY_DELAY_MS = 2_000
export const GROUP = 'gbaaaaaaaaaaaaaaaa-000'

export const member = (n: number, group = GROUP): string => `${group}-${n}`

export function aWanted(ordinal: number, facts: Partial<WantedNode> = {}): WantedNode {
  const groupName = facts.groupName ?? GROUP
  return {
    ordinal,
    generation: 1,
    name: member(ordinal + 1, groupName),
    groupName,
    status: 'requested',
    providerInstanceId: null,
    address: null,
    since: NOW - 60_000,
    ...facts,
  }
}

/** As a look stores it that found the node of `aFound(ordinal)`. */
export const aBound = (ordinal: number, facts: Partial<WantedNode> = {}): WantedNode =>
  aWanted(ordinal, { status: 'ready', providerInstanceId: `id-${ordinal}`, address: `10.0.0.${ordinal}`, ...facts })

export const aGroup = (facts: Partial<AskedGroup> = {}): AskedGroup => ({
  name: GROUP,
  size: 3,
  askedAt: NOW - 60_000,
  effect: 'accepted',
  notBefore: 0,
  ...facts,
})

export const aFound = (ordinal: number, facts: Partial<ProviderNode> = {}): ProviderNode => ({
  providerInstanceId: `id-${ordinal}`,
  name: member(ordinal + 1),
  owner: null,
  clusterId: 'alpha',
  state: 'ready',
  inFabric: true,
  address: `10.0.0.${ordinal}`,
  createdAt: NOW - 30_000,
  failure: null,
  ...facts,
})

export const FAULT = { code: 'E1', message: 'the host died', kind: 'fault' } as const
export const NO_ROOM = { code: 'E2', message: 'no valid host', kind: 'out-of-capacity' } as const

/** Three nodes wanted under one group, nothing listed. */
export const aSituation = (facts: Partial<Situation> = {}): Situation => ({
  intent: 'hold',
  wanted: [aWanted(0), aWanted(1), aWanted(2)],
  groups: [aGroup()],
  found: [],
  now: NOW,
  visibilityDelayMs: VISIBILITY_DELAY_MS,
  joinsFabric: false,
  maxGenerations: 4,
  standing: false,
  ...facts,
})

/** What a look stores of a plan's notes. */
export const noted = (wanted: readonly WantedNode[], { notes }: Plan, now: EpochMs): WantedNode[] =>
  wanted.map((node) => {
    const note = notes.find((one) => one.ordinal === node.ordinal && one.generation === node.generation)
    if (note === undefined) return node
    const { status, providerInstanceId, address } = note
    return { ...node, status, providerInstanceId, address, since: now }
  })

export const CREATE: Step = { step: 'create', group: GROUP }
