/** Adapters that are broken on purpose, each in one way, and the cases that must notice: these and no others. */
import { setTimeout as pause } from 'node:timers/promises'
import { ProviderError, type ProviderErrorDetails, type ProviderErrorKind } from '../../shared/provider-error.ts'
import type { Call, NodeGroup, Provider } from '../../shared/provider.ts'
import type { Breakage } from './memory-target.ts'

export interface Mutant extends Breakage {
  /** What the broken adapter does: the name of its test. */
  readonly does: string
  readonly fails: readonly string[]
}

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

type Change = (error: ProviderError) => unknown

/** Lets a promise reject with something else. */
const turning = async <T>(promise: Promise<T>, change: Change): Promise<T> => {
  try {
    return await promise
  } catch (error) {
    throw error instanceof ProviderError ? await change(error) : error
  }
}

const detailsOf = ({ effect, code, providerMessage, retryAfterMs }: ProviderError): ProviderErrorDetails => ({
  effect,
  code,
  providerMessage,
  retryAfterMs,
})

const as = (error: ProviderError, kind: ProviderErrorKind, details: Partial<ProviderErrorDetails> = {}) =>
  new ProviderError(kind, error.message, { ...detailsOf(error), ...details })

const onCreate =
  (change: Change) =>
  (good: Provider): Partial<Provider> => ({
    createNodes: (group, call) => turning(good.createNodes(group, call), change),
  })
const onList =
  (change: Change) =>
  (good: Provider): Partial<Provider> => ({
    listNodes: (filter, call) => turning(good.listNodes(filter, call), change),
  })
const onDelete =
  (change: Change) =>
  (good: Provider): Partial<Provider> => ({
    deleteNodes: (request, call) => turning(good.deleteNodes(request, call), change),
  })

const creating =
  (change: (group: NodeGroup) => NodeGroup) =>
  (good: Provider): Partial<Provider> => ({
    createNodes: (group, call) => good.createNodes(change(group), call),
  })

const refuse = (message: string, kind: ProviderErrorKind = 'refused') =>
  new ProviderError(kind, message, { effect: 'none' })

/** A group of one instead, when the whole does not fit. */
const halfWhen =
  (kind: ProviderErrorKind) =>
  (good: Provider): Partial<Provider> => ({
    async createNodes(group, call) {
      try {
        return await good.createNodes(group, call)
      } catch (error) {
        if (error instanceof ProviderError && error.kind === kind && group.size > 1) {
          await good.createNodes({ ...group, size: 1 }, call).catch(() => [])
        }
        throw error
      }
    },
  })

const PROMISES: readonly Mutant[] = [
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

const MAKING: readonly Mutant[] = [
  {
    does: 'knows no address of its nodes',
    breaks: (good) => ({
      listNodes: async (filter, call) =>
        (await good.listNodes(filter, call)).map((node) => ({ ...node, address: null })),
    }),
    fails: ['create-makes-group'],
  },
  {
    does: 'makes a group once more after it was asked for it five times',
    breaks(good) {
      const times = new Map<string, number>()
      return {
        async createNodes(group, call) {
          const time = (times.get(group.name) ?? 0) + 1
          times.set(group.name, time)
          const name = time > 5 ? `${group.name.slice(0, -1)}z` : group.name
          return await good.createNodes({ ...group, name, owner: { ...group.owner, group: name } }, call)
        },
      }
    },
    fails: ['create-ten-times'],
  },
  {
    does: 'says for ever that there is no room once there was none',
    breaks(good) {
      let isFull = false
      return {
        async createNodes(group, call) {
          if (isFull) throw refuse('full', 'out-of-capacity')
          return await turning(good.createNodes(group, call), (error) => {
            isFull = error.code === 'FULL'
            return error
          })
        },
      }
    },
    fails: ['out-of-capacity-passes'],
  },
  {
    does: 'makes the whole group again when a part of it is there',
    habits: { asksOnlyForMissing: false },
    fails: ['create-after-member-deleted'],
  },
  {
    does: 'remembers what it made instead of looking',
    breaks(good) {
      const made = new Set<string>()
      return {
        async createNodes(group, call) {
          const looks = made.has(group.name) || !(await hasGroup(good, group, call))
          made.add(group.name)
          if (looks) return await good.createNodes(group, call)
          // Another name at the operator, because that refuses nothing and nobody looked.
          const name = `${group.name.slice(0, -1)}z`
          return await good.createNodes({ ...group, name, owner: { ...group.owner, group: name } }, call)
        },
      }
    },
    fails: ['create-by-another-replica'],
  },
  {
    does: 'takes a group with other keys for another group',
    breaks(good) {
      const keys = new Map<string, string>()
      return {
        async createNodes(group, call) {
          const before = keys.get(group.name)
          keys.set(group.name, group.sshPublicKeys.join())
          if (before === undefined || before === group.sshPublicKeys.join()) return await good.createNodes(group, call)
          const name = `${group.name.slice(0, -1)}z`
          return await good.createNodes({ ...group, name, owner: { ...group.owner, group: name } }, call)
        },
      }
    },
    fails: ['create-other-body'],
  },
  {
    does: 'removes what a smaller size leaves over',
    breaks: (good) => ({
      async createNodes(group, call) {
        const found = await good.listNodes(group.owner, call)
        const ofGroup = found.filter(({ owner }) => owner?.group === group.name)
        const over = ofGroup.slice(group.size).map((node) => node.providerInstanceId)
        if (over.length > 0) await good.deleteNodes({ clusterId: group.clusterId, providerInstanceIds: over }, call)
        return await good.createNodes(group, call)
      },
    }),
    fails: ['create-smaller-again'],
  },
  {
    does: 'waits until nodes are ready before it returns from a create',
    breaks: (good) => ({
      async createNodes(group, call) {
        const answered = await good.createNodes(group, call)
        for (;;) {
          const found = await good.listNodes(group.owner, call)
          if (found.length > 0 && found.every(({ state }) => state !== 'building')) return answered
        }
      },
    }),
    fails: ['create-returns-early'],
  },
  {
    does: 'answers a create with ids of its own making',
    breaks: (good) => ({
      async createNodes(group, call) {
        await good.createNodes(group, call)
        const [node] = await good.listNodes(group.owner, call)
        return node === undefined ? [] : [{ ...node, providerInstanceId: 'request-1' }]
      },
    }),
    fails: ['create-answers-members'],
  },
  {
    does: 'cannot take Korean in a key’s comment',
    breaks: (good) => ({
      async createNodes(group, call) {
        if (group.sshPublicKeys.some((key) => /[^ -~]/.test(key))) throw refuse('not ASCII')
        return await good.createNodes(group, call)
      },
    }),
    fails: ['create-with-korean-key-comment'],
  },
  {
    does: 'runs out of names too early',
    breaks: (good) => ({
      async createNodes(group, call) {
        if (group.name.endsWith('-zzz')) throw refuse('no names left')
        return await good.createNodes(group, call)
      },
    }),
    fails: ['create-last-name'],
  },
  {
    does: 'makes only one group at a time and forgets the others',
    breaks(good) {
      let busy = false
      return {
        async createNodes(group, call) {
          if (busy) return []
          busy = true
          try {
            return await good.createNodes(group, call)
          } finally {
            busy = false
          }
        },
      }
    },
    fails: ['create-burst'],
  },
  {
    does: 'takes any image for its default',
    breaks: creating((group) => ({ ...group, imageAlias: 'ubuntu' })),
    fails: ['create-refuses-unknown-image'],
  },
  {
    does: 'takes any network for its own',
    breaks: creating((group) => ({ ...group, network: 'private' })),
    fails: ['create-refuses-unknown-network'],
  },
  {
    does: 'makes nodes of any cluster in its own',
    breaks: creating((group) => ({ ...group, clusterId: 'memory-1' })),
    fails: ['create-refuses-unknown-cluster'],
  },
  {
    does: 'keeps a token that has expired',
    habits: { renewsToken: false },
    fails: ['token-renewed'],
  },
  {
    does: 'takes a group whose create failed for made',
    breaks(good) {
      const lost = new Set<string>()
      return {
        async createNodes(group, call) {
          if (lost.has(group.name)) return []
          return await turning(good.createNodes(group, call), (error) => {
            if (error.code === 'LOST') lost.add(group.name)
            return error
          })
        },
      }
    },
    fails: ['create-cut-off-drop-before', 'create-cut-off-reset-before'],
  },
]

const LISTS: readonly Mutant[] = [
  {
    does: 'loses a node after it has listed it four times',
    breaks(good) {
      const looks = new Map<string, number>()
      return {
        async listNodes(filter, call) {
          const found = await good.listNodes(filter, call)
          if (filter.allocationId === undefined || found.length === 0 || found.some(({ state }) => state !== 'ready'))
            return found
          const look = (looks.get(filter.allocationId) ?? 0) + 1
          looks.set(filter.allocationId, look)
          return look > 4 ? found.slice(1) : found
        },
      }
    },
    fails: ['list-same-again'],
  },
  {
    does: 'may have done something when a list is cut off',
    breaks: onList((error) => (error.code === 'LOST' ? as(error, 'unreachable', { effect: 'maybe' }) : error)),
    fails: ['list-cut-off', 'list-never-partial'],
  },
  {
    does: 'forgets paging',
    habits: { followsPages: false },
    fails: ['list-second-page', 'list-third-page', 'list-never-partial', 'create-burst', 'create-largest-group'],
  },
  {
    does: 'answers half a list when a later page is lost',
    habits: { wantsAllPages: false },
    fails: ['list-never-partial'],
  },
  {
    does: 'takes a list that it does not understand for an empty one',
    habits: { checksShape: false },
    fails: ['list-of-another-shape'],
  },
  {
    does: 'lists foreign nodes',
    habits: { listsOwn: false },
    fails: ['foreign-not-listed'],
  },
  {
    does: 'lists nothing while it deletes',
    breaks(good) {
      let deleting = 0
      return {
        async deleteNodes(request, call) {
          deleting += 1
          await good.deleteNodes(request, call).finally(() => {
            deleting -= 1
          })
        },
        async listNodes(filter, call) {
          const found = await good.listNodes(filter, call)
          return deleting > 0 ? [] : found
        },
      }
    },
    fails: ['list-while-vanishing'],
  },
  {
    does: 'lists nothing while it creates',
    breaks(good) {
      let creates = 0
      return {
        async createNodes(group, call) {
          creates += 1
          return await good.createNodes(group, call).finally(() => {
            creates -= 1
          })
        },
        listNodes: async (filter, call) => (creates > 0 ? [] : await good.listNodes(filter, call)),
      }
    },
    fails: ['list-while-appearing'],
  },
  {
    does: 'gives a node up that its first list does not show',
    breaks(good) {
      const groups = new Map<string, boolean>()
      return {
        async createNodes(group, call) {
          const made = await good.createNodes(group, call)
          if (!groups.has(group.name)) {
            groups.set(group.name, await hasGroup(good, group, call))
          }
          return made
        },
        listNodes: async (filter, call) =>
          (await good.listNodes(filter, call)).filter(({ owner }) => groups.get(owner?.group ?? '') !== false),
      }
    },
    fails: ['list-after-lag'],
  },
  {
    does: 'ignores which allocation it is asked about',
    breaks: (good) => ({
      listNodes: ({ installationId }, call) => good.listNodes({ installationId }, call),
    }),
    fails: [
      'list-filters',
      'list-while-vanishing',
      'list-while-appearing',
      'create-beside-another-allocation',
      'delete-ten-times',
    ],
  },
]

const DELETIONS: readonly Mutant[] = [
  {
    does: 'deletes all that stood beside the node when it was last listed',
    breaks(good) {
      const beside = new Map<string, readonly string[]>()
      return {
        async listNodes(filter, call) {
          const found = await good.listNodes(filter, call)
          const ids = found.map((node) => node.providerInstanceId)
          if (filter.allocationId !== undefined) for (const id of ids) beside.set(id, ids)
          return found
        },
        async deleteNodes({ clusterId, providerInstanceIds }, call) {
          const ids = new Set(providerInstanceIds.flatMap((id) => [id, ...(beside.get(id) ?? [])]))
          await good.deleteNodes({ clusterId, providerInstanceIds: [...ids] }, call)
        },
      }
    },
    fails: ['delete-only-these', 'create-after-member-deleted', 'fabric-node-deleted'],
  },
  {
    does: 'refuses to delete what takes its time to be built',
    breaks(good) {
      const filters = new Map<string, Parameters<Provider['listNodes']>[0]>()
      return {
        async listNodes(filter, call) {
          const found = await good.listNodes(filter, call)
          for (const node of found) filters.set(node.providerInstanceId, filter)
          return found
        },
        async deleteNodes(request, call) {
          const filter = filters.get(request.providerInstanceIds[0] ?? '')
          if (filter !== undefined && !call.signal.aborted) {
            await pause(30) // six times what a quick one takes
            const found = await good.listNodes(filter, call)
            if (found.some(({ state }) => state === 'building')) throw refuse('it is building')
          }
          await good.deleteNodes(request, call)
        },
      }
    },
    fails: ['delete-while-building'],
  },
  {
    does: 'calls what it deleted before not found',
    breaks(good) {
      const deleted = new Set<string>()
      const vanished = new Set<string>()
      return {
        async listNodes(filter, call) {
          const found = await good.listNodes(filter, call)
          const ids = new Set(found.map((node) => node.providerInstanceId))
          for (const id of deleted) if (!ids.has(id)) vanished.add(id)
          return found
        },
        async deleteNodes(request, call) {
          if (request.providerInstanceIds.some((id) => vanished.has(id))) throw refuse('gone already', 'not-found')
          await good.deleteNodes(request, call)
          for (const id of request.providerInstanceIds) deleted.add(id)
        },
      }
    },
    fails: ['delete-again', 'delete-ten-times'],
  },
  {
    does: 'calls a deletion whose answer is lost refused',
    breaks: onDelete((error) => (error.code === 'LOST' ? as(error, 'refused') : error)),
    fails: ['delete-answers-lost', 'delete-cut-off'],
  },
  {
    does: 'believes the delete',
    breaks(good) {
      const gone = new Set<string>()
      return {
        async deleteNodes(request, call) {
          await good.deleteNodes(request, call)
          for (const id of request.providerInstanceIds) gone.add(id)
        },
        listNodes: async (filter, call) =>
          (await good.listNodes(filter, call)).filter((node) => !gone.has(node.providerInstanceId)),
      }
    },
    fails: ['delete-believed-by-list'],
  },
  {
    does: 'calls a node that nobody knows not found',
    breaks: (good) => ({
      async deleteNodes(request, call) {
        await good.deleteNodes(request, call)
        if (request.providerInstanceIds.join() === 'n-999999') throw refuse('who is that?', 'not-found')
      },
    }),
    fails: ['delete-unknown'],
  },
  {
    does: 'deletes none of them when one is unknown',
    breaks: (good) => ({
      async deleteNodes(request, call) {
        const ids = request.providerInstanceIds
        if (ids.length > 1 && ids.includes('n-999999')) throw refuse('not yet', 'busy')
        await good.deleteNodes(request, call)
      },
    }),
    fails: ['delete-beside-unknown'],
  },
  {
    does: 'deletes everything when it is asked to delete nothing',
    breaks(good) {
      const seen = new Set<string>()
      return {
        async listNodes(filter, call) {
          const found = await good.listNodes(filter, call)
          for (const node of found) seen.add(node.providerInstanceId)
          return found
        },
        async deleteNodes({ clusterId, providerInstanceIds }, call) {
          const ids = providerInstanceIds.length === 0 ? [...seen] : providerInstanceIds
          await good.deleteNodes({ clusterId, providerInstanceIds: ids }, call)
        },
      }
    },
    fails: ['delete-none'],
  },
  {
    does: 'refuses a request that names a node twice',
    breaks: (good) => ({
      async deleteNodes(request, call) {
        const ids = request.providerInstanceIds
        if (new Set(ids).size < ids.length) throw refuse('twice')
        await good.deleteNodes(request, call)
      },
    }),
    fails: ['delete-named-twice'],
  },
  {
    does: 'calls a 500 to a deletion refused',
    breaks: onDelete((error) => (error.code === '500' ? as(error, 'refused') : error)),
    fails: ['delete-500'],
  },
  {
    does: 'says deleted when the operator throttles it',
    breaks: (good) => ({
      async deleteNodes(request, call) {
        try {
          await good.deleteNodes(request, call)
        } catch (error) {
          if (!(error instanceof ProviderError) || error.kind !== 'throttled') throw error
        }
      },
    }),
    fails: ['delete-throttled'],
  },
]

const ERRORS: readonly Mutant[] = [
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

const BESIDE: readonly Mutant[] = [
  {
    does: 'leaves leftovers',
    breaks: () => ({ sweepLeftovers: async () => [] }),
    fails: [
      'nothing-left-after-release',
      'nothing-left-after-lost-answer',
      'nothing-left-after-failed-build',
      'deadline-sweep',
      'aborted-sweep',
    ],
  },
  {
    does: 'sweeps what another installation made',
    habits: { sparesForeign: false },
    fails: ['sweep-spares-foreign'],
  },
  {
    does: 'sweeps what nodes that are still building need',
    habits: { sparesNeeded: false },
    fails: ['sweep-spares-needed'],
  },
  {
    does: 'sweeps nodes away with the rest',
    breaks: (good) => ({
      async sweepLeftovers(request, call) {
        const { installationId, allocationsEnded } = request
        const nodes = await good.listNodes({ installationId }, call)
        const ended = nodes.filter(({ owner }) => owner !== null && allocationsEnded.has(owner.allocationId))
        const providerInstanceIds = ended.map((node) => node.providerInstanceId)
        await good.deleteNodes({ clusterId: 'memory-1', providerInstanceIds }, call)
        return await good.sweepLeftovers(request, call)
      },
    }),
    fails: ['sweep-spares-nodes'],
  },
  {
    does: 'finds leftovers where nothing was made',
    breaks: (good) => ({
      async sweepLeftovers(request, call) {
        const found = await good.sweepLeftovers(request, call)
        return found.length > 0 ? found : [{ kind: 'port', id: 'p-1', name: 'a port', action: 'removed' }]
      },
    }),
    fails: ['sweep-of-nothing'],
  },
  {
    does: 'fails when it joins what is joined',
    breaks(good) {
      const joined = new Map<string, string>()
      return {
        async joinFabric(request, call) {
          const ids = request.providerInstanceIds.join()
          if (joined.get(request.owner.allocationId) === ids) throw refuse('it exists')
          joined.set(request.owner.allocationId, ids)
          return (await good.joinFabric?.(request, call)) ?? { settled: false }
        },
      }
    },
    fails: ['fabric-joined-twice'],
  },
  {
    does: 'adds to an interconnect group and never takes out',
    breaks: (good) => ({
      async joinFabric(request, call) {
        const nodes = await good.listNodes(request.owner, call)
        const joined = nodes.filter(({ inFabric }) => inFabric).map((node) => node.providerInstanceId)
        const providerInstanceIds = [...new Set([...joined, ...request.providerInstanceIds])]
        return (await good.joinFabric?.({ ...request, providerInstanceIds }, call)) ?? { settled: false }
      },
    }),
    fails: ['fabric-members-change'],
  },
  {
    does: 'calls an interconnect group that never was not found',
    breaks(good) {
      const joined = new Set<string>()
      return {
        async joinFabric(request, call) {
          joined.add(request.owner.allocationId)
          return (await good.joinFabric?.(request, call)) ?? { settled: false }
        },
        async leaveFabric(request, call) {
          if (!joined.has(request.owner.allocationId)) throw refuse('no such group', 'not-found')
          return (await good.leaveFabric?.(request, call)) ?? { settled: false }
        },
      }
    },
    fails: ['fabric-none-to-leave'],
  },
  {
    does: 'fails when it dissolves what it dissolved before',
    breaks(good) {
      const left = new Set<string>()
      return {
        async leaveFabric(request, call) {
          if (left.has(request.owner.allocationId)) throw refuse('no such group', 'not-found')
          left.add(request.owner.allocationId)
          return (await good.leaveFabric?.(request, call)) ?? { settled: false }
        },
      }
    },
    fails: ['fabric-left-twice'],
  },
  {
    does: 'dissolves the interconnect group when one of its nodes goes',
    breaks(good) {
      const groups = new Map<string, Parameters<NonNullable<Provider['joinFabric']>>[0]>()
      return {
        async joinFabric(request, call) {
          for (const id of request.providerInstanceIds) groups.set(id, request)
          return (await good.joinFabric?.(request, call)) ?? { settled: false }
        },
        async deleteNodes(request, call) {
          await good.deleteNodes(request, call)
          const group = groups.get(request.providerInstanceIds[0] ?? '')
          if (group !== undefined) await good.leaveFabric?.(group, call)
        },
      }
    },
    fails: ['fabric-node-deleted'],
  },
]

const hasGroup = async (good: Provider, group: NodeGroup, call: Call): Promise<boolean> =>
  (await good.listNodes(group.owner, call)).some(({ owner }) => owner?.group === group.name)

export const MUTANTS: readonly Mutant[] = [...PROMISES, ...MAKING, ...LISTS, ...DELETIONS, ...ERRORS, ...BESIDE]
