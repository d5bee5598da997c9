/** Groups that are made twice, not at all, or otherwise. */
import { type Mutant, turning, creating, refuse, hasGroup } from './breaking.ts'

export const MAKING: readonly Mutant[] = [
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
  {
    does: 'makes a group anew that is asked for again before anybody has looked for what a lost answer left',
    breaks(good) {
      const lost = new Set<string>()
      return {
        async createNodes(group, call) {
          const isAnew = lost.has(group.name)
          const name = isAnew ? `${group.name.slice(0, -1)}z` : group.name
          return await turning(
            good.createNodes({ ...group, name, owner: { ...group.owner, group: name } }, call),
            (error) => {
              if (error.code === 'LOST') lost.add(group.name)
              return error
            },
          )
        },
        async listNodes(filter, call) {
          lost.clear()
          return await good.listNodes(filter, call)
        },
      }
    },
    fails: ['create-answers-lost-in-a-row'],
  },
  {
    does: 'makes a group without keys once more when it is asked for again and all of it is ready',
    breaks(good) {
      const made = new Map<string, number>()
      return {
        async createNodes(group, call) {
          const nodes = await good.listNodes(group.owner, call)
          const ready = nodes.filter(({ owner, state }) => owner?.group === group.name && state === 'ready')
          const isAgain = group.sshPublicKeys.length === 0 && made.get(group.name) === group.size
          const name = isAgain && ready.length === group.size ? `${group.name.slice(0, -1)}z` : group.name
          const answered = await good.createNodes({ ...group, name, owner: { ...group.owner, group: name } }, call)
          made.set(group.name, group.size)
          return answered
        },
      }
    },
    fails: ['create-ready-again', 'create-beside-another-allocation'],
  },
  {
    does: 'takes two groups of one node for the same',
    breaks(good) {
      const first = new Map<string, string>()
      return {
        async createNodes(group, call) {
          const { allocationId } = group.owner
          if (group.size === 1 && (first.get(allocationId) ?? group.name) !== group.name) return []
          if (group.size === 1) first.set(allocationId, group.name)
          return await good.createNodes(group, call)
        },
      }
    },
    fails: ['create-two-groups'],
  },
  {
    does: 'gives the only member of a first group no number',
    breaks(good) {
      const alone = new Set<string>()
      return {
        async createNodes(group, call) {
          if (group.size === 1 && group.name.endsWith('-000')) alone.add(group.name)
          return await good.createNodes(group, call)
        },
        listNodes: async (filter, call) =>
          (await good.listNodes(filter, call)).map((node) =>
            alone.has(node.owner?.group ?? '') ? { ...node, name: node.owner?.group ?? '' } : node,
          ),
      }
    },
    fails: ['create-group-of-one', 'create-two-groups'],
  },
  {
    does: 'cannot place SSH keys',
    breaks: (good) => ({
      async createNodes(group, call) {
        if (group.sshPublicKeys.length > 0) throw refuse('no keys here')
        return await good.createNodes(group, call)
      },
    }),
    fails: [
      'create-with-keys',
      'create-with-korean-key-comment',
      'create-ten-times',
      'create-answers-lost-in-a-row',
      'sweep-spares-foreign',
      'sweep-spares-needed',
      'nothing-left-after-release',
      'nothing-left-after-lost-answer',
      'nothing-left-after-failed-build',
    ],
  },
]
