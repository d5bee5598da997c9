/**
 * What configuration calls by name and a create needs by id: flavors and images. A name that stands for none or for
 * several things is a problem to be told, never a guess.
 */
import { z } from 'zod'
import { ProviderError } from '../../shared/provider-error.ts'
import type { AdapterContext, Call } from '../../shared/provider.ts'
import { readJson } from '../http.ts'
import { type NhnClient, computeUrl, isSuccess, read } from './client.ts'
import { type Flight, launchFlight } from '../flight.ts'
import { listAll } from './paging.ts'

/** Either what a configured reference stands for, or why that is not known, in words. */
export type Resolved<T> = { readonly found: T } | { readonly problem: string }

const Flavor = z.object({
  id: z.string().min(1),
  name: z.string(),
  vcpus: z.number().nullish(),
  /** MB. */
  ram: z.number().nullish(),
})
export type Flavor = z.infer<typeof Flavor>

const FlavorPage = z.object({
  flavors: z.array(Flavor),
  flavors_links: z.array(z.object({ rel: z.string() })).nullish(),
})

export function listFlavors(client: NhnClient, call: Call): Promise<readonly Flavor[]> {
  return listAll(
    client,
    {
      url: computeUrl(client, '/flavors/detail'),
      query: {},
      asked: 'listing flavors',
      read(answer) {
        const page = readJson(FlavorPage, answer, 'none')
        return { items: page.flavors, hasNext: (page.flavors_links ?? []).some(({ rel }) => rel === 'next') }
      },
    },
    call,
  )
}

/** @param reference a flavor's id or name */
export function findFlavor(flavors: readonly Flavor[], reference: string, region: string): Resolved<Flavor> {
  const byId = flavors.find(({ id }) => id === reference)
  return byId === undefined ? theOnly(flavors, reference, `flavor ${reference} in ${region}`) : { found: byId }
}

const Image = z.object({
  id: z.string().min(1),
  name: z.string().nullish(),
  status: z.string().nullish(),
  /** Properties stand flat on the image, as texts. */
  nhncloud_allow_gpu_flavor: z.union([z.string(), z.boolean()]).nullish(),
})
type Image = z.infer<typeof Image>
const ImageList = z.object({ images: z.array(Image) })

const UUID = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i

/** Looked up by the image service, where one is configured. @param reference an image's id or name */
export async function findImage(client: NhnClient, reference: string, call: Call): Promise<Resolved<string>> {
  const { imageUrl } = client.settings
  if (imageUrl === undefined) return { found: reference }
  const image = UUID.test(reference)
    ? await imageById(client, `${imageUrl}/images/${reference}`, reference, call)
    : await imageByName(client, `${imageUrl}/images`, reference, call)
  return 'problem' in image ? image : usable(image.found, reference)
}

async function imageById(client: NhnClient, url: string, id: string, call: Call): Promise<Resolved<Image>> {
  const request = { method: 'GET', url, asked: 'looking up an image' } as const
  const answer = await client.send(request, call)
  if (answer.status === 404) return { problem: `there is no image ${id}` }
  if (!isSuccess(answer)) throw client.errorOf(request, answer)
  return { found: readJson(Image, answer, 'none') }
}

async function imageByName(client: NhnClient, url: string, name: string, call: Call): Promise<Resolved<Image>> {
  const request = { url: `${url}?name=${encodeURIComponent(name)}`, asked: 'looking up an image' }
  const { images } = await read(client, ImageList, request, call)
  return theOnly(images, name, `image ${name}`)
}

function usable({ id, status, nhncloud_allow_gpu_flavor: forGpu }: Image, reference: string): Resolved<string> {
  if (status !== null && status !== undefined && status !== 'active')
    return { problem: `image ${reference} is ${status}, not active` }
  if (String(forGpu).toLowerCase() === 'false') return { problem: `image ${reference} is not for GPU flavors` }
  return { found: id }
}

function theOnly<T extends { readonly name?: string | null | undefined }>(
  all: readonly T[],
  name: string,
  what: string,
): Resolved<T> {
  const [first, ...others] = all.filter((one) => one.name === name)
  if (first === undefined) return { problem: `there is no ${what}` }
  return others.length === 0 ? { found: first } : { problem: `there are ${others.length + 1} of ${what}: use the id` }
}

export interface Catalogue {
  /** @throws ProviderError `refused` when it is missing or ambiguous */
  flavor(reference: string, call: Call): Promise<Flavor>
  /** @throws ProviderError `refused` when it is missing, ambiguous or not usable */
  imageId(reference: string, call: Call): Promise<string>
  /** What was resolved may have been replaced at the operator: the next use looks again. */
  forget(): void
}

/** Resolves once and remembers; calls that come meanwhile wait for the same answer. */
export function createCatalogue(client: NhnClient, now: AdapterContext['now']): Catalogue {
  const flavors = createMemory(now, async (reference, call) =>
    orRefuse(findFlavor(await listFlavors(client, call), reference, client.settings.region)),
  )
  const images = createMemory(now, async (reference, call) => orRefuse(await findImage(client, reference, call)))
  return {
    flavor: (reference, call) => flavors.get(reference, call),
    async imageId(reference, call) {
      return UUID.test(reference) ? reference : await images.get(reference, call) // an id, the create will judge
    },
    forget() {
      flavors.clear()
      images.clear()
    },
  }
}

interface Memory<T> {
  get(reference: string, call: Call): Promise<T>
  clear(): void
}

function createMemory<T>(
  now: AdapterContext['now'],
  resolve: (reference: string, call: Call) => Promise<T>,
): Memory<T> {
  const known = new Map<string, T>()
  const flights = new Map<string, Flight<T>>()
  const launch = (reference: string, call: Call): Flight<T> =>
    launchFlight(async (signal) => {
      try {
        const found = await resolve(reference, { ...call, signal, deadlineAt: Number.MAX_SAFE_INTEGER }) // ends with its last caller
        known.set(reference, found)
        return found
      } finally {
        if (!signal.aborted) flights.delete(reference) // an abandoned one may have been replaced already
      }
    }, now)
  return {
    async get(reference, call) {
      const found = known.get(reference)
      if (found !== undefined) return found
      const underWay = flights.get(reference)
      const flight = underWay === undefined || underWay.isAbandoned() ? launch(reference, call) : underWay
      flights.set(reference, flight)
      return await flight.join(call)
    },
    clear: () => known.clear(),
  }
}

function orRefuse<T>(resolved: Resolved<T>): T {
  if ('found' in resolved) return resolved.found
  throw new ProviderError('refused', resolved.problem, { effect: 'none', code: 'NOT_CONFIGURED' })
}
