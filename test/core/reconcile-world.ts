/**
 * One allocation, a model of an operator, and looks at it as the worker takes them (`workers/look.ts`), with the real
 * comparison and the real recording. A look may die at every line; what was recorded before stays, as a commit does.
 */
import type { GroupAnswer } from '../../broker/app/record-answers.ts'
import { recordAnswers } from '../../broker/app/record-answers.ts'
import type { Draft } from '../../broker/app/draft.ts'
import type { Member } from '../../broker/app/decide-group.ts'
import { nameNodes } from '../../broker/app/name-nodes.ts'
import { mustRecord, noteUnanswered, recordLook } from '../../broker/app/record-look.ts'
import { emptyCalendar } from '../../broker/core/calendar.ts'
import { type Plan, reconcile } from '../../broker/core/reconcile.ts'
import { type AllocationRow, nodeKey, type NodeGroupRow, type NodeRow } from '../../broker/store/changes.ts'
import { ProviderError } from '../../shared/provider-error.ts'
import { Crash, type Dice, diceOf, type ModelOperator, modelOperator } from './model-operator.ts'

export interface WorldOptions {
  readonly nodes: number
  readonly maxBatch: number
  readonly visibilityDelayMs: number
  readonly joinsFabric: boolean
  readonly dice: readonly number[]
  /** So many are to be left, which is decided in the midst of that look: after its list, and before it is recorded. */
  readonly shrinks?: { readonly to: number; readonly inLook: number }
  /** Every look is taken twice at the same instant, and every call that takes something away or joins is made twice. */
  readonly twice?: boolean
  /** Its nodes are marked as asked for when they are named, and asked for without a look before. */
  readonly asksAtOnce?: boolean
}

export interface World {
  readonly operator: ModelOperator
  /** Points passed so far at which something could have gone wrong. */
  rolls(): number
  /** Names that are wanted now, by the newest generation of each ordinal. */
  wantedNames(): string[]
  /** Of every node that was ever named. */
  generations(): number[]
  row(): AllocationRow
  /** Looks until nothing changes any more. @throws Error when that never comes */
  lookUntilQuiet(): Plan
  /** As many looks, with what befalls them. */
  lookTimes(looks: number): void
  release(): void
}

const ID = 'alc_aaaaaaaaaaaaaaaa'
const CLAIM = { id: ID, token: 'claim' }
const MAX_GENERATIONS = 4
const PAUSE_MS = 700
/** A dead process is started again, or its lease ends. */
const LONGEST_OUTAGE_MS = 30_000
/** Far beyond what the longest of dice can cause. */
const MAX_LOOKS = 3_000

export function aWorld(options: WorldOptions): World {
  const dice = diceOf(options.dice)
  const operator = modelOperator(dice, options.visibilityDelayMs)
  const store = emptyStore(options.nodes)
  const commit = <T>(member: Member<T>): T => member.decide(draftOn(store, operator.now))
  commit({
    needs: {},
    decide(draft) {
      const places = Array.from({ length: options.nodes }, (_, ordinal) => ({ ordinal, generation: 1 }))
      draft.save(nameNodes(draft, store.row, places, { ...options, asked: options.asksAtOnce === true }))
    },
  })
  const hands: Hands = { options, dice, operator, store, commit }
  if (options.asksAtOnce === true) orDie(hands, askAtOnce)
  return {
    operator,
    rolls: () => dice.rolls,
    wantedNames: () => wantedNames(store),
    generations: () => [...store.nodes.values()].map((node) => node.generation),
    row: () => store.row,
    release() {
      store.row = { ...store.row, status: 'releasing' }
    },
    lookTimes(looks) {
      for (let n = 0; n < looks; n += 1) {
        lookOrDie(hands)
        operator.now += PAUSE_MS
      }
    },
    lookUntilQuiet() {
      for (let looks = 0; looks < MAX_LOOKS; looks += 1) {
        if (options.twice === true) lookOrDie(hands)
        const plan = lookOrDie(hands)
        const isGoing = operator.list().some((node) => node.state === 'deleting')
        if (plan !== null && dice.usedUp && isQuiet(plan) && !isGoing) return plan
        operator.now += PAUSE_MS
      }
      throw new Error(`it never comes to rest: ${JSON.stringify(lookOrDie(hands))}`)
    },
  }
}

const isQuiet = (plan: Plan): boolean =>
  plan.gone || (plan.ready && plan.notes.length === 0 && plan.steps.length === 0 && plan.unanswered.length === 0)

interface Hands {
  readonly options: WorldOptions
  readonly dice: Dice
  readonly operator: ModelOperator
  readonly store: Store
  readonly commit: <T>(member: Member<T>) => T
}

/** Null: the look died, or had no list. */
const lookOrDie = (hands: Hands): Plan | null => orDie(hands, look)

function orDie<T>(hands: Hands, work: (hands: Hands) => T): T | null {
  try {
    return work(hands)
  } catch (error) {
    if (!(error instanceof Crash)) throw error
    hands.operator.now += Math.floor((LONGEST_OUTAGE_MS * (99 - hands.dice.roll())) / 99)
    return null
  }
}

function askAtOnce(hands: Hands): void {
  const { dice, commit, store } = hands
  mayDie(dice)
  const steps = [...store.groups.values()].map(({ name }) => ({ step: 'create', group: name }) as const)
  const answers = carryOut(hands, { steps })
  mayDie(dice)
  commit(recordAnswers(CLAIM, answers))
}

function look(hands: Hands): Plan | null {
  const { dice, operator, commit, store } = hands
  if (dice.roll() < 5) return null // no list to be had
  const plan = compare(hands)
  const { version } = store.row
  store.looks += 1
  if (store.looks === hands.options.shrinks?.inLook) shrink(store, hands.options.shrinks.to, operator.now)
  mayDie(dice)
  if (isHolding(store.row)) {
    if (mustRecord(plan, store.row)) {
      const building = { maxBatch: hands.options.maxBatch, pool: { networks: ['only'], shared: true } }
      if (commit(recordLook(CLAIM, { plan, version }, building)) === null) return null // the next one knows better
    }
    mayDie(dice)
    if (plan.steps.some(({ step }) => step === 'give-up')) return plan
  } else commit(recordGoing(plan))
  const answers = carryOut(hands, plan)
  mayDie(dice)
  if (answers.length > 0) commit(recordAnswers(CLAIM, answers))
  operator.now += 1
  return plan
}

const isHolding = (row: AllocationRow): boolean => row.status !== 'releasing' && row.undoing === null

function mayDie(dice: Dice): void {
  if (dice.roll() < 4) throw new Crash('between two lines')
}

function compare({ options, operator, store }: Hands): Plan {
  const { visibilityDelayMs, joinsFabric } = options
  return reconcile({
    intent: isHolding(store.row) ? 'hold' : 'release',
    wanted: [...store.nodes.values()],
    groups: [...store.groups.values()],
    found: operator.list(),
    now: operator.now,
    visibilityDelayMs,
    joinsFabric,
    maxGenerations: MAX_GENERATIONS,
    standing: store.row.status === 'active',
  })
}

/** What `recordGiveBack` writes of the nodes; the calendar has no part here. */
const recordGoing = (plan: Plan): Member<void> => ({
  needs: {},
  decide(draft) {
    noteUnanswered(draft, draft.allocation(ID) as AllocationRow, plan) // the store's only row
    for (const { ordinal, generation, status } of plan.notes) {
      const node = draft.nodesOf(ID).find((one) => one.ordinal === ordinal && one.generation === generation)
      if (node !== undefined) draft.saveNode({ ...node, status, since: draft.now })
    }
  },
})

function carryOut({ operator, store, options, dice }: Hands, plan: Pick<Plan, 'steps'>): GroupAnswer[] {
  const answers: GroupAnswer[] = []
  for (const step of plan.steps) {
    mayDie(dice)
    if (step.step === 'delete') {
      const inFabric = operator
        .list()
        .some((node) => node.inFabric && step.providerInstanceIds.includes(node.providerInstanceId))
      if (options.joinsFabric && inFabric && !isHolding(store.row)) throw new Error('deleted inside its fabric')
      times(options, () => orError(() => operator.remove(step.providerInstanceIds)))
    }
    if (step.step === 'join-fabric') times(options, () => orError(() => operator.join(step.providerInstanceIds)))
    if (step.step === 'leave-fabric') times(options, () => orError(() => operator.leave()))
    if (step.step !== 'create') continue
    const group = store.groups.get(step.group)
    if (group === undefined) continue
    const error = orError(() => operator.create(group))
    answers.push({ group: group.name, at: operator.now, error })
  }
  return answers
}

function times({ twice }: WorldOptions, call: () => void): void {
  call()
  if (twice === true) call()
}

function orError(call: () => void): ProviderError | null {
  try {
    call()
    return null
  } catch (error) {
    if (error instanceof ProviderError) return error
    throw error
  }
}

// --- what is stored

interface Store {
  row: AllocationRow
  looks: number
  readonly nodes: Map<string, NodeRow>
  readonly groups: Map<string, NodeGroupRow>
}

function emptyStore(nodes: number): Store {
  const row: Partial<AllocationRow> = {
    id: ID,
    status: 'provisioning',
    claimToken: CLAIM.token,
    nodes,
    desiredNodes: nodes,
    groupCounter: 0,
    readyNodes: 0,
    failedNodes: 0,
    undoing: null,
    avoid: [],
    clusterId: 'alpha',
    version: 1,
    activeAt: null,
    statusReason: null,
    startAt: 0,
    endAt: null,
    estimatedStartAt: null,
    promisedStartAt: null,
  }
  return { row: row as AllocationRow, looks: 0, nodes: new Map(), groups: new Map() } // what recording reads of a row is in it
}

/** What a use case does to one that runs. */
function shrink(store: Store, to: number, now: number): void {
  if (!isHolding(store.row)) return
  store.row = { ...store.row, desiredNodes: to, version: store.row.version + 1 }
  for (const [key, node] of store.nodes) {
    if (node.ordinal >= to && node.status !== 'deleted')
      store.nodes.set(key, { ...node, status: 'deleting', since: now })
  }
}

/** The newest generation of each ordinal that is to stay. */
function wantedNames({ nodes, row }: Store): string[] {
  const newest = new Map<number, NodeRow>()
  for (const node of nodes.values()) {
    if (node.ordinal >= row.desiredNodes) continue
    if ((newest.get(node.ordinal)?.generation ?? 0) < node.generation) newest.set(node.ordinal, node)
  }
  return [...newest.values()].map((node) => node.name)
}

const NOTHING_PLACED = emptyCalendar([], 0)

/** As much of a draft as recording a look needs; the rest is not there, and asking for it fails the test. */
function draftOn(store: Store, now: number): Draft {
  const draft: Partial<Draft> = {
    now,
    calendar: NOTHING_PLACED,
    approval: () => null,
    allocation: (id) => (id === ID ? store.row : null),
    nodesOf: () => [...store.nodes.values()],
    groupsOf: () => [...store.groups.values()],
    save(row) {
      store.row = row
    },
    saveNode: (node) => void store.nodes.set(nodeKey(node), node),
    saveGroup: (group) => void store.groups.set(group.name, group),
    event() {},
  }
  return draft as Draft
}
