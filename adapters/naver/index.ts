/** The NAVER Cloud adapter: one file per operation beside this one; README.md says what it speaks and what it doubts. */
import { createProviderHttp } from '../http.ts'
import { createLooks } from '../looks.ts'
import type { AdapterContext, Call, NodeGroup, Provider, ProviderNode, Traffic } from '../../shared/provider.ts'
import { createNaverClient } from './client.ts'
import { type NaverSettings, visibilityDelayMsOf } from './config.ts'
import { createNodes } from './create.ts'
import { deleteNodes } from './delete.ts'
import { describeClusters } from './describe.ts'
import { joinFabric, leaveFabric } from './fabric.ts'
import { sweepLeftovers } from './leftovers.ts'
import { createPublicIps } from './public-ips.ts'
import { createAddresses, listNodes, listOthers, listServers } from './servers.ts'
import { Region } from './wire.ts'

export { NaverSettings } from './config.ts'

/** What the operator takes as a name; ours are 25 characters at most. */
const NODE_NAME = { maxLength: 30, pattern: /^[a-z][a-z0-9-]*[a-z0-9]$/ }

export function createNaverProvider(
  settings: NaverSettings,
  context: AdapterContext,
): Provider & { close(): void; traffic(): Traffic } {
  const { ratePerSecond, maxConcurrent } = settings
  const http = createProviderHttp({ ratePerSecond, maxConcurrent, now: context.now })
  const client = createNaverClient({ settings, http, now: context.now })
  const publicIps = createPublicIps(client)
  const creating = createInFlight()
  // The region is listed whole, whichever group is looked for.
  const looks = createLooks((_, call) => listServers(client, call), context.now)
  const groupsInFlight = creating.names
  const parts = { client, settings, publicIps, looks, addresses: createAddresses(client), groupsInFlight }
  const joinsFabric = Object.values(settings.clusters).some((cluster) => cluster.fabricPoolNo !== undefined)
  return {
    id: settings.id,
    capabilities: {
      maxBatch: settings.maxBatch,
      visibilityDelayMs: visibilityDelayMsOf(settings),
      nodeName: NODE_NAME,
      findsByOwner: 'scan',
      reportsFreeCapacity: false,
      joinsFabric,
    },
    describe: (call) => describeClusters(parts, call),
    createNodes: (group, call) => creating.once(group, () => createNodes(parts, group, call)),
    listNodes: (filter, call) => listNodes(parts, filter, call),
    listOthers: (filter, call) => listOthers(parts, filter, call),
    deleteNodes: (request, call) => deleteNodes(parts, request, call),
    ...(joinsFabric && {
      joinFabric: (request, call) => joinFabric(parts, request, call),
      leaveFabric: (request, call) => leaveFabric(parts, request, call),
    }),
    sweepLeftovers: (request, call) => sweepLeftovers(parts, request, call),
    freeCapacity: () => Promise.resolve(null),
    ping: (call) => ping(call),
    close: () => http.close(),
    traffic: () => http.traffic(),
  }

  async function ping(call: Call): Promise<void> {
    await client.list({ action: 'getRegionList', rows: 'regionList', row: Region }, call)
  }
}

/** Two callers who ask for one group at the same time would each look and find nothing, so they share one asking. */
function createInFlight() {
  const running = new Map<string, Promise<readonly ProviderNode[]>>()
  const names = new Set<string>()
  return {
    names: names as ReadonlySet<string>,
    once(group: NodeGroup, ask: () => Promise<readonly ProviderNode[]>): Promise<readonly ProviderNode[]> {
      const asked = running.get(group.name)
      if (asked !== undefined) return asked
      names.add(group.name)
      const asking = ask().finally(() => {
        running.delete(group.name)
        names.delete(group.name)
      })
      running.set(group.name, asking)
      return asking
    },
  }
}
