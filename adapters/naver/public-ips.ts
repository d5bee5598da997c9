/**
 * Public IPs outlive their servers and are made by the operator together with them, without a tag of ours. So the only
 * proof that one is ours is the server that it stands on: it is taken off and remembered before the server goes, and
 * deleted once the operator has let go of it.
 */
import { type OwnerTag, parseOwnerTag } from '../../shared/ids.ts'
import type { Call } from '../../shared/provider.ts'
import { ProviderError } from '../../shared/provider-error.ts'
import type { NaverClient } from './client.ts'
import { PublicIp, type Server, ownerOf } from './wire.ts'

export interface PublicIps {
  /** Takes a server's public IP off it. Done already is success. */
  takeOff(server: Server, call: Call): Promise<void>
  /** Deletes those that were taken off and are free by now. */
  deleteTakenOff(call: Call): Promise<void>
  /** All that are known to be ours: those taken off, and those whose description carries a tag. */
  own(call: Call): Promise<readonly OwnPublicIp[]>
  /** @returns whether the operator accepted; false: not yet */
  remove(publicIp: PublicIp, call: Call): Promise<boolean>
}

interface OwnPublicIp {
  readonly publicIp: PublicIp
  readonly owner: OwnerTag
  /** Taken off a node that was to go, so unwanted even while its allocation goes on. */
  readonly isTakenOff: boolean
}

export function createPublicIps(client: NaverClient): PublicIps {
  /** publicIpInstanceNo → whose it was. Short-lived: what is deleted or unknown to the operator leaves it. */
  const takenOff = new Map<string, OwnerTag>()

  const own = async (call: Call): Promise<OwnPublicIp[]> => {
    const publicIps = await listPublicIps(client, call)
    const existing = new Set(publicIps.map((publicIp) => publicIp.publicIpInstanceNo))
    for (const no of takenOff.keys()) if (!existing.has(no)) takenOff.delete(no)
    return publicIps.flatMap((publicIp) => {
      const tag = takenOff.get(publicIp.publicIpInstanceNo)
      const owner = tag ?? parseOwnerTag(publicIp.publicIpDescription)
      return owner === null ? [] : [{ publicIp, owner, isTakenOff: tag !== undefined }]
    })
  }

  const remove = async (publicIp: PublicIp, call: Call): Promise<boolean> => {
    const { publicIpInstanceNo } = publicIp
    if (!isFree(publicIp)) return false
    const accepted = await accepts(
      client.change({ action: 'deletePublicIpInstance', parameters: { publicIpInstanceNo } }, call),
    )
    if (accepted) takenOff.delete(publicIpInstanceNo)
    return accepted
  }

  return {
    own,
    remove,
    async takeOff(server, call) {
      const { publicIpInstanceNo } = server
      const owner = ownerOf(server)
      if (owner !== null) takenOff.set(publicIpInstanceNo, owner) // before the call: its answer may get lost
      const action = 'disassociatePublicIpFromServerInstance'
      try {
        await client.change({ action, parameters: { publicIpInstanceNo } }, call)
      } catch (error) {
        if (!(error instanceof ProviderError) || error.kind !== 'not-found') throw error
      }
    },
    async deleteTakenOff(call) {
      if (takenOff.size === 0) return
      for (const { publicIp, isTakenOff } of await own(call)) if (isTakenOff) await remove(publicIp, call)
    },
  }
}

const listPublicIps = (client: NaverClient, call: Call): Promise<PublicIp[]> =>
  client.listAll(
    {
      action: 'getPublicIpInstanceList',
      rows: 'publicIpInstanceList',
      row: PublicIp,
      idOf: (publicIp) => publicIp.publicIpInstanceNo,
    },
    call,
  )

/** Without an operation that it is in, it is taken to be idle. */
const isFree = (publicIp: PublicIp): boolean =>
  publicIp.serverInstanceNo === '' && ['', 'NULL'].includes(publicIp.publicIpInstanceOperation)

/**
 * Whether the operator took an order to remove something: gone already is yes, not yet and not now are no. An order of
 * several steps resolves to whether it came to its last.
 */
export async function accepts(order: Promise<unknown>): Promise<boolean> {
  try {
    return (await order) !== false
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    if (error.kind === 'not-found') return true
    if (error.kind === 'busy' || error.kind === 'refused') return false
    throw error
  }
}
