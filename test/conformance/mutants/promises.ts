/** What an adapter says of itself, and whether its calls end. */
import type { Call, Provider } from '../../../shared/provider.ts'
import { type Mutant, refuse } from './breaking.ts'

const HOUR_MS = 3_600_000

const withoutAbort = (call: Call): Call => ({ ...call, signal: new AbortController().signal })
const withoutDeadline = (call: Call): Call => ({ ...call, deadlineAt: Date.now() + HOUR_MS })

type CallName = 'ping' | 'describe' | 'listNodes' | 'createNodes' | 'deleteNodes' | 'sweepLeftovers'

type Changing = (good: Provider, change: (call: Call) => Call) => Partial<Provider>

/** The same call with another `call`. */
const WITH_OTHER_CALL: Readonly<Record<CallName, Changing>> = {
  ping: (good, change) => ({ ping: (call) => good.ping(change(call)) }),
  describe: (good, change) => ({ describe: (call) => good.describe(change(call)) }),
  listNodes: (good, change) => ({ listNodes: (filter, call) => good.listNodes(filter, change(call)) }),
  createNodes: (good, change) => ({ createNodes: (group, call) => good.createNodes(group, change(call)) }),
  deleteNodes: (good, change) => ({ deleteNodes: (request, call) => good.deleteNodes(request, change(call)) }),
  sweepLeftovers: (good, change) => ({ sweepLeftovers: (request, call) => good.sweepLeftovers(request, change(call)) }),
}

const calling = (name: CallName, change: (call: Call) => Call) => (good: Provider) =>
  WITH_OTHER_CALL[name](good, change)

const DEAF: Readonly<Record<CallName, readonly string[]>> = {
  ping: ['aborted-ping'],
  describe: ['aborted-describe'],
  listNodes: ['aborted-list', 'abort-list-in-flight'],
  createNodes: ['aborted-create', 'abort-create-in-flight'],
  deleteNodes: ['aborted-delete'],
  sweepLeftovers: ['aborted-sweep'],
}

const ENDLESS: Readonly<Record<CallName, readonly string[]>> = {
  ping: ['deadline-ping'],
  describe: ['deadline-describe'],
  listNodes: ['deadline-list', 'deadline-in-drips'],
  createNodes: ['deadline-create', 'deadline-past', 'create-answered-late'],
  deleteNodes: ['deadline-delete'],
  sweepLeftovers: ['deadline-sweep'],
}

export const PROMISES: readonly Mutant[] = [
  ...(Object.keys(DEAF) as CallName[]).map((name) => ({
    does: `goes on with ${name} although its caller has gone`,
    breaks: calling(name, withoutAbort),
    fails: DEAF[name],
  })),
  ...(Object.keys(ENDLESS) as CallName[]).map((name) => ({
    does: `forgets the deadline of ${name}`,
    breaks: calling(name, withoutDeadline),
    fails: ENDLESS[name],
  })),
  {
    does: 'answers no ping',
    breaks: () => ({
      async ping() {
        throw refuse('no such call')
      },
    }),
    fails: ['ping-answers', 'ping-cut-off', 'deadline-ping', 'aborted-ping'],
  },
  {
    does: 'says pong without asking',
    breaks: () => ({ ping: async () => {} }),
    fails: ['ping-cut-off', 'deadline-ping', 'aborted-ping'],
  },
  {
    does: 'shows a problem where there is none',
    breaks: (good) => ({
      describe: async (call) => (await good.describe(call)).map((one) => ({ ...one, problems: ['a feeling'] })),
    }),
    fails: ['describe-finds-all'],
  },
  {
    does: 'describes something else each time',
    breaks(good) {
      let looks = 0
      return {
        async describe(call) {
          looks += 1
          const described = await good.describe(call)
          return described.map((one) => ({ ...one, networks: [...one.networks, `network-${looks}`] }))
        },
      }
    },
    fails: ['describe-changes-nothing'],
  },
  {
    does: 'declares names that are too short for its members',
    breaks: (good) => ({ capabilities: { ...good.capabilities, nodeName: { maxLength: 20, pattern: /^.*$/ } } }),
    fails: ['capabilities-batch'],
  },
  {
    does: 'declares larger groups than it makes',
    breaks: (good) => ({ capabilities: { ...good.capabilities, maxBatch: 11 } }),
    fails: ['create-largest-group', 'create-burst', 'list-third-page'],
  },
  {
    does: 'has the calls of an interconnect that it does not declare',
    habits: { joinsFabric: false },
    breaks: () => ({ joinFabric: async () => ({ settled: true }) }),
    fails: ['capabilities-fabric'],
  },
  {
    does: 'tells half a node as free',
    breaks: () => ({ freeCapacity: async () => 2.5 }),
    fails: ['free-capacity-declared'],
  },
]
