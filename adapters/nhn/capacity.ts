/**
 * How many more nodes the project's quota allows, which is the nearest that Nova comes to telling free capacity. NHN does
 * not document `/limits`: it is asked only where configured, and silence or refusal means that nobody knows.
 */
import { z } from 'zod'
import type { Call } from '../../shared/provider.ts'
import { readJson } from '../http.ts'
import type { Flavor } from './catalogue.ts'
import { type NhnClient, type NhnRequest, computeUrl, isSuccess } from './client.ts'

const Count = z.number().nullish()
const Limits = z.object({
  limits: z.object({
    absolute: z.object({
      maxTotalInstances: Count,
      totalInstancesUsed: Count,
      maxTotalCores: Count,
      totalCoresUsed: Count,
      /** MB. */
      maxTotalRAMSize: Count,
      totalRAMUsed: Count,
    }),
  }),
})

/** Null where the operator does not tell, or sets no limit. */
export async function nodesWithinQuota(client: NhnClient, flavor: Flavor, call: Call): Promise<number | null> {
  const request: NhnRequest = { method: 'GET', url: computeUrl(client, '/limits'), asked: 'reading limits' }
  const answer = await client.send(request, call)
  if (answer.status === 403 || answer.status === 404) return null
  if (!isSuccess(answer)) throw client.errorOf(request, answer)
  const { absolute } = readJson(Limits, answer, 'none').limits
  const bounds = [
    room(absolute.maxTotalInstances, absolute.totalInstancesUsed, 1),
    room(absolute.maxTotalCores, absolute.totalCoresUsed, flavor.vcpus),
    room(absolute.maxTotalRAMSize, absolute.totalRAMUsed, flavor.ram),
  ].filter((bound) => bound !== null)
  return bounds.length === 0 ? null : Math.min(...bounds)
}

type Counted = number | null | undefined

/** How many of size `each` fit; null where that is unknown or without limit (-1). */
function room(limit: Counted, used: Counted, each: Counted): number | null {
  if (typeof limit !== 'number' || typeof used !== 'number' || typeof each !== 'number') return null
  if (limit < 0 || each <= 0) return null
  return Math.max(0, Math.floor((limit - used) / each))
}
