/** Placement groups: servers that shall not stand on one host. */
import { ServiceRefusal, invalidParameter } from './naver-errors.ts'
import { code } from './naver-wire.ts'
import type { WireRecord } from './naver-wire.ts'
import { among, contains, existingServers, nameGiven, rowsOf, serverOf } from './naver-world.ts'
import type { Actions, GroupRecord, World } from './naver-world.ts'

const TYPE = 'AA'

export const groupActions = (world: World): Actions => ({
  createPlacementGroup(given) {
    if ((given.text('placementGroupTypeCode') ?? TYPE) !== TYPE)
      throw invalidParameter('placementGroupTypeCode', 'must be AA.')
    const name = nameGiven(given, 'placementGroupName')
    const placementGroupNo = world.nextNo()
    const group: GroupRecord = { placementGroupNo, name: name ?? `pg-${placementGroupNo}`, createdAtMs: world.now() }
    world.groups.set(placementGroupNo, group)
    world.context.ledger.made({
      kind: 'placement-group',
      id: placementGroupNo,
      name: group.name,
      atMs: group.createdAtMs,
    })
    return rowsOf('placementGroupList', [view(group)])
  },

  addPlacementGroupServerInstance: (given) =>
    place(world, given.required('serverInstanceNo'), groupOf(world, given.required('placementGroupNo'))),

  removePlacementGroupServerInstance(given) {
    groupOf(world, given.required('placementGroupNo'))
    return place(world, given.required('serverInstanceNo'), null)
  },

  deletePlacementGroup(given) {
    const group = groupOf(world, given.required('placementGroupNo'))
    const { placementGroupNo } = group
    if (existingServers(world).some((server) => server.placementGroupNo === placementGroupNo)) {
      throw new ServiceRefusal('groupInUse', `Placement group ${placementGroupNo} has servers.`)
    }
    world.groups.delete(placementGroupNo)
    world.context.ledger.gone('placement-group', placementGroupNo, world.now())
    return rowsOf('placementGroupList', [view(group)])
  },

  getPlacementGroupList(given) {
    const [numbers, name] = [given.list('placementGroupNoList'), given.text('placementGroupName')]
    const rows = world.groups
      .values()
      .filter((group) => among(numbers, group.placementGroupNo) && contains(name, group.name))
    return rowsOf('placementGroupList', rows.map(view))
  },

  getPlacementGroupDetail(given) {
    const group = world.groups.get(given.required('placementGroupNo'))
    return rowsOf('placementGroupList', group === undefined ? [] : [view(group)])
  },
})

function groupOf(world: World, placementGroupNo: string): GroupRecord {
  const group = world.groups.get(placementGroupNo)
  if (group !== undefined) return group
  throw new ServiceRefusal('notFound', `Placement group ${placementGroupNo} does not exist.`)
}

function place(world: World, serverInstanceNo: string, group: GroupRecord | null): WireRecord {
  const server = serverOf(world, serverInstanceNo)
  world.servers.set(serverInstanceNo, { ...server, placementGroupNo: group?.placementGroupNo ?? null })
  return rowsOf('placementGroupList', group === null ? [] : [view(group)])
}

const view = (group: GroupRecord): WireRecord => ({
  placementGroupNo: group.placementGroupNo,
  placementGroupName: group.name,
  placementGroupType: code(TYPE, 'Anti-Affinity'),
})
