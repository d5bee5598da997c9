/** NHN's image service (Glance v2): what a server can be built from, each property flat on the image. */
import { IMAGE_MIN_DISK_GB, IMAGES } from './nhn-records.ts'
import type { Image } from './nhn-records.ts'
import { answer, pageOf, route } from './nhn-wire.ts'
import type { Route } from './nhn-wire.ts'
import { NHN } from './settings.ts'

const NOT_FILTERS = new Set([
  'limit',
  'marker',
  'sort_key',
  'sort_dir',
  'sort',
  'member_status',
  'size_min',
  'size_max',
])
const CREATED = '2026-05-27T00:00:00Z'

export const imageRoutes = (): readonly Route[] => [
  route('GET', '/v2/images', ({ query }) => {
    const wanted = [...query].filter(([key]) => !NOT_FILTERS.has(key))
    const fitting = IMAGES.map(shown).filter((image) => wanted.every(([key, value]) => String(image[key]) === value))
    const { items, next } = pageOf(fitting, query)
    const following = new URLSearchParams(query)
    following.set('marker', next ?? '')
    const more = next === null ? {} : { next: `/v2/images?${following.toString()}` }
    return answer(200, { images: items, schema: '/v2/schemas/images', first: '/v2/images', ...more })
  }),
  route('GET', '/v2/images/:id', (_request, parameter) => {
    const image = IMAGES.find(({ id }) => id === parameter('id'))
    return image === undefined ? noImage(parameter('id')) : answer(200, shown(image))
  }),
]

/** Glance answers errors in HTML. */
const noImage = (id: string) => ({
  status: 404,
  headers: { 'content-type': 'text/html; charset=UTF-8' },
  body: `<html>\n <head>\n  <title>404 Not Found</title>\n </head>\n <body>\n  <h1>404 Not Found</h1>\n  Failed to find image ${id.replaceAll(/[^\w-]/g, '')}<br /><br />\n\n\n\n </body>\n</html>`,
})

const shown = ({
  id,
  name,
  description,
  properties,
}: Image): Readonly<Record<string, unknown>> & { readonly id: string } => ({
  id,
  name,
  description,
  status: 'active',
  visibility: 'public',
  owner: NHN.tenantId,
  protected: false,
  tags: [],
  size: 2_361_393_152,
  min_disk: IMAGE_MIN_DISK_GB,
  min_ram: 0,
  disk_format: 'raw',
  container_format: 'bare',
  created_at: CREATED,
  updated_at: CREATED,
  self: `/v2/images/${id}`,
  file: `/v2/images/${id}/file`,
  schema: '/v2/schemas/image',
  ...properties,
})
