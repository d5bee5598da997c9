/**
 * What may be left beside nodes: public IPs outlive the instance that they were given to, and a disk whose deletion
 * failed stays too. Only what carries this installation's tag in its description is ours to touch; a name proves nothing,
 * because another installation in the same project makes names of the same form.
 */
import { parseOwnerTag } from '../../shared/ids.ts'
import { ProviderError } from '../../shared/provider-error.ts'
import type { Call, Leftover, Provider } from '../../shared/provider.ts'
import type { KakaoClient } from './client.ts'
import type { KakaoSettings } from './config.ts'
import { listAll } from './paging.ts'
import { PublicIp, Volume } from './wire.ts'

export interface SweeperOptions {
  readonly settings: KakaoSettings
  readonly client: KakaoClient
}

type Sweep = Provider['sweepLeftovers']
type SweepRequest = Parameters<Sweep>[0]

export function createSweeper({ settings, client }: SweeperOptions): Sweep {
  const { listLimit: limit } = settings
  const addresses = `${settings.networkUrl}/api/v1/public-ips`
  const volumes = `${settings.volumeUrl}/api/v1/volumes`

  const removed = async (url: string, call: Call): Promise<boolean> =>
    await accepted(client.send({ what: 'the delete of a leftover', method: 'DELETE', url, changes: true }, call))

  const sweepAddresses = async (request: SweepRequest, call: Call): Promise<Leftover[]> => {
    const all = await listAll(client, { url: addresses, noun: 'public_ips', row: PublicIp, limit }, call)
    const swept: Leftover[] = []
    for (const each of all.filter(({ description }) => isUnneeded(description, request))) {
      const url = `${addresses}/${encodeURIComponent(each.id)}`
      const holder = each.related_resource?.id ?? null
      const free = holder === null || (await removed(`${url}/network-interfaces/${encodeURIComponent(holder)}`, call))
      const action = free && (await removed(url, call)) ? 'removed' : 'kept'
      swept.push({ kind: 'public-ip', id: each.id, name: each.public_ip ?? '', action })
    }
    return swept
  }

  const sweepVolumes = async (request: SweepRequest, call: Call): Promise<Leftover[]> => {
    const all = await listAll(client, { url: volumes, noun: 'volumes', row: Volume, limit }, call)
    const swept: Leftover[] = []
    for (const each of all.filter(({ description }) => isUnneeded(description, request))) {
      const going = each.status === 'deleting'
      const inUse = each.status === 'in_use' || each.status === 'reserved'
      const action = going || (!inUse && (await removed(`${volumes}/${encodeURIComponent(each.id)}`, call)))
      swept.push({ kind: 'volume', id: each.id, name: each.name ?? '', action: action ? 'removed' : 'kept' })
    }
    return swept
  }

  return async (request, call) => [...(await sweepAddresses(request, call)), ...(await sweepVolumes(request, call))]
}

function isUnneeded(description: string | null, { installationId, allocationsEnded }: SweepRequest): boolean {
  const owner = parseOwnerTag(description ?? '')
  return owner !== null && owner.installationId === installationId && allocationsEnded.has(owner.allocationId)
}

/** Gone already is as good as removed; "not yet" and "not so" are for the next sweep; anything else ends this one. */
async function accepted(work: Promise<unknown>): Promise<boolean> {
  try {
    await work
    return true
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    if (error.kind === 'not-found') return true
    if (error.kind === 'busy' || error.kind === 'refused') return false
    throw error
  }
}
