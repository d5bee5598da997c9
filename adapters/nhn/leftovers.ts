/**
 * What may stay behind when servers go: volumes, ports and public addresses. This adapter makes none of them by itself
 * (root disks go with their servers), so only what carries our owner tag, in a description, metadata or tags, is touched:
 * a name alone proves nothing in a tenant that others may share.
 */
import { z } from 'zod'
import { type OwnerTag, parseOwnerTag } from '../../shared/ids.ts'
import type { Call, Leftover, Provider } from '../../shared/provider.ts'
import { readJson } from '../http.ts'
import { type NhnClient, type NhnRequest, isSuccess } from './client.ts'
import { listAll } from './paging.ts'

const Thing = z.object({
  id: z.string().min(1),
  name: z.string().nullish(),
  description: z.string().nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
  tags: z.array(z.string()).nullish(),
  /** Volumes. */
  attachments: z.array(z.unknown()).nullish(),
  /** Ports: the server that has it. */
  device_id: z.string().nullish(),
  floating_ip_address: z.string().nullish(),
})
type Thing = z.infer<typeof Thing>

interface Place {
  readonly kind: Leftover['kind']
  readonly listUrl: string
  readonly itemUrl: string
  /** Root key of the list. */
  readonly root: string
}

export async function sweepLeftovers(
  client: NhnClient,
  { installationId, allocationsEnded }: Parameters<Provider['sweepLeftovers']>[0],
  call: Call,
): Promise<readonly Leftover[]> {
  const leftovers: Leftover[] = []
  for (const place of placesOf(client)) {
    for (const thing of await listThings(client, place, call)) {
      const owner = ownerOf(thing)
      if (owner?.installationId !== installationId || !allocationsEnded.has(owner.allocationId)) continue
      const action = isAttached(thing) ? 'kept' : await remove(client, place, thing, call)
      leftovers.push({ kind: place.kind, id: thing.id, name: thing.name ?? thing.floating_ip_address ?? '', action })
    }
  }
  return leftovers
}

function placesOf({ settings }: NhnClient): readonly Place[] {
  const { networkUrl, volumeUrl, tenantId } = settings
  const places: Place[] = []
  if (networkUrl !== undefined) {
    const ports = `${networkUrl}/ports`
    const addresses = `${networkUrl}/floatingips`
    places.push({ kind: 'public-ip', listUrl: addresses, itemUrl: addresses, root: 'floatingips' })
    places.push({ kind: 'port', listUrl: ports, itemUrl: ports, root: 'ports' })
  }
  if (volumeUrl !== undefined) {
    const volumes = `${volumeUrl}/${tenantId}/volumes`
    places.push({ kind: 'volume', listUrl: `${volumes}/detail`, itemUrl: volumes, root: 'volumes' })
  }
  return places
}

function listThings(client: NhnClient, { root, listUrl }: Place, call: Call): Promise<readonly Thing[]> {
  const Things = z.object({ [root]: z.array(Thing) })
  return listAll<Thing>(
    client,
    {
      url: listUrl,
      query: {},
      asked: `listing ${root}`,
      read: (answer) => ({ items: readJson(Things, answer, 'none')[root] ?? [], hasNext: false }),
      mayBeUnknown: true,
    },
    call,
  )
}

function ownerOf({ name, description, metadata, tags }: Thing): OwnerTag | null {
  for (const text of [description, name, ...Object.values(metadata ?? {}), ...(tags ?? [])]) {
    const owner = typeof text === 'string' ? parseOwnerTag(text) : null
    if (owner !== null) return owner
  }
  return null
}

/** A public address is given back whether or not a port has it; the others go with, or after, their server. */
const isAttached = ({ attachments, device_id: deviceId }: Thing): boolean =>
  (attachments ?? []).length > 0 || (deviceId ?? '') !== ''

async function remove(client: NhnClient, place: Place, { id }: Thing, call: Call): Promise<Leftover['action']> {
  const url = `${place.itemUrl}/${encodeURIComponent(id)}`
  const request: NhnRequest = { method: 'DELETE', url, asked: `deleting one of ${place.root}` }
  const answer = await client.send(request, call)
  if (answer.status === 401 || answer.status >= 500) throw client.errorOf(request, answer)
  return isSuccess(answer) || answer.status === 404 ? 'removed' : 'kept' // refused: the next sweep asks again
}
