/** `POST /servers/{id}/action`: power actions, and the refusals of what a GPU server cannot do. */
import { z } from 'zod'
import type { SandboxRequest, SandboxResponse } from './harness.ts'
import { FLAVORS } from './nhn-records.ts'
import type { NhnWorld, ServerRecord, Status } from './nhn-records.ts'
import { stateOf, vmStateOf } from './nhn-server-state.ts'
import { answer, bodyAs, fault } from './nhn-wire.ts'
import { NHN } from './settings.ts'

interface PowerAction {
  /** Never ERROR: a server that failed here has never been launched, which Nova asks for as well. */
  readonly from: readonly Status[]
  readonly status: (before: Status) => Status
  readonly task: string
  readonly then: Status
  /** Part of a node's boot time that it takes. */
  readonly part: number
}

const POWER: Readonly<Record<string, PowerAction>> = {
  'os-start': { from: ['SHUTOFF'], status: () => 'SHUTOFF', task: 'powering-on', then: 'ACTIVE', part: 0.5 },
  'os-stop': { from: ['ACTIVE'], status: (before) => before, task: 'powering-off', then: 'SHUTOFF', part: 0.25 },
  'reboot SOFT': { from: ['ACTIVE'], status: () => 'REBOOT', task: 'rebooting', then: 'ACTIVE', part: 0.5 },
  'reboot HARD': {
    from: ['ACTIVE', 'SHUTOFF'],
    status: () => 'HARD_REBOOT',
    task: 'rebooting_hard',
    then: 'ACTIVE',
    part: 0.5,
  },
}

const Action = z.record(z.string(), z.unknown())
const Reboot = z.object({ type: z.enum(['SOFT', 'HARD']) })
const Group = z.object({ name: z.string() })

export function actOnServer(world: NhnWorld, server: ServerRecord, request: SandboxRequest): SandboxResponse {
  const [entry, ...others] = Object.entries(bodyAs(request, Action))
  if (entry === undefined || others.length > 0) return fault(400, 'Malformed request body')
  const [name, detail] = entry
  switch (name) {
    case 'os-start':
    case 'os-stop':
      return power(world, server, name)
    case 'reboot': {
      const reboot = Reboot.safeParse(detail)
      if (!reboot.success)
        return fault(400, "Invalid input for field/attribute type. It must be one of 'SOFT', 'HARD'.")
      return power(world, server, `reboot ${reboot.data.type}`)
    }
    case 'addSecurityGroup':
    case 'removeSecurityGroup':
      return changeSecurityGroup(world, server, { name, detail })
    case 'shelve':
    case 'unshelve':
    case 'resize':
    case 'createImage':
      return fault(
        400,
        `Action '${name}' is not supported for flavor ${FLAVORS.find(({ id }) => id === server.flavorId)?.name}`,
      )
    default:
      return fault(400, `There is no such action: ${name}`)
  }
}

function power(world: NhnWorld, server: ServerRecord, name: string): SandboxResponse {
  const action = POWER[name] as PowerAction // callers name actions of the table
  const nowMs = world.now()
  const { status, task } = stateOf(server, nowMs)
  if (task !== null || !action.from.includes(status)) {
    const why = task === null ? `vm_state ${vmStateOf(status)}` : `task_state ${task}`
    return fault(409, `Cannot '${name.split(' ')[0]}' instance ${server.id} while it is in ${why}`)
  }
  const change = {
    status: action.status(status),
    task: action.task,
    sinceMs: nowMs,
    untilMs: nowMs + world.bootMs() * action.part,
    then: action.then,
  }
  world.servers.set(server.id, { ...server, change })
  return answer(202)
}

function changeSecurityGroup(
  world: NhnWorld,
  server: ServerRecord,
  { name, detail }: { readonly name: 'addSecurityGroup' | 'removeSecurityGroup'; readonly detail: unknown },
): SandboxResponse {
  const group = Group.safeParse(detail)
  if (!group.success) return fault(400, 'Malformed request body')
  if (group.data.name !== NHN.securityGroup) return fault(404, `Security group ${group.data.name} not found.`)
  const others = server.securityGroups.filter((known) => known !== group.data.name)
  const securityGroups = name === 'addSecurityGroup' ? [...others, group.data.name] : others
  world.servers.set(server.id, { ...server, securityGroups, editedAtMs: world.now() })
  return answer(202)
}
