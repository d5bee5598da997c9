/** NHN's placement policies, which Nova calls server groups: servers of one never share a host. There is no other policy. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { NhnWorld, ServerGroupRecord } from './nhn-records.ts'
import { isGone } from './nhn-server-state.ts'
import { answer, bodyAs, fault, refuse, route } from './nhn-wire.ts'
import type { Route } from './nhn-wire.ts'

const NewGroup = z.object({
  server_group: z.object({ name: z.string().min(1).max(255), policies: z.array(z.string()).length(1) }),
})

export const serverGroupRoutes = (world: NhnWorld): readonly Route[] => [
  route('GET', '/os-server-groups', () =>
    answer(200, { server_groups: world.serverGroups.values().map((group) => shown(world, group)) }),
  ),
  route('POST', '/os-server-groups', (request) => {
    const { name, policies } = bodyAs(request, NewGroup).server_group
    if (policies[0] !== 'anti-affinity')
      return fault(400, `Invalid input for field/attribute policies. Value: ${policies.join()}.`)
    const group = { id: randomUUID(), name }
    world.serverGroups.set(group.id, group)
    world.ledger.made({ kind: 'server-group', id: group.id, name, atMs: world.now() })
    return answer(200, { server_group: shown(world, group) })
  }),
  route('GET', '/os-server-groups/:id', (_request, parameter) =>
    answer(200, { server_group: shown(world, existing(world, parameter('id'))) }),
  ),
  // Its servers stay.
  route('DELETE', '/os-server-groups/:id', (_request, parameter) => {
    const { id } = existing(world, parameter('id'))
    world.serverGroups.delete(id)
    world.ledger.gone('server-group', id, world.now())
    return answer(204)
  }),
]

function existing(world: NhnWorld, id: string): ServerGroupRecord {
  const group = world.serverGroups.get(id)
  if (group === undefined) throw refuse(404, `Instance group ${id} could not be found.`)
  return group
}

function shown(world: NhnWorld, { id, name }: ServerGroupRecord): object {
  const nowMs = world.now()
  const members = world.servers.values().filter((server) => server.serverGroupId === id && !isGone(server, nowMs))
  return { id, name, policies: ['anti-affinity'], members: members.map((server) => server.id), metadata: {} }
}
