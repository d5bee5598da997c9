/** Images, and how an instance shows its own. */
import type { SandboxResponse } from './harness.ts'
import { IMAGES, SEEDED_AT } from './kakao-seed.ts'
import type { Image } from './kakao-seed.ts'
import { listAnswer, ServiceRefusal, stamp } from './kakao-wire.ts'
import type { FieldValue } from './kakao-wire.ts'

const SIZE_BYTES = 3_221_225_472
/** Basic images belong to the operator. */
const OWNER = '0a0b0c0d0e0f0a0b0c0d0e0f0a0b0c0d'

export function listImages(query: URLSearchParams): SandboxResponse {
  return listAnswer({
    noun: 'images',
    rows: IMAGES,
    query,
    exact: [
      'id',
      'instance_type',
      'image_type',
      'size',
      'min_disk',
      'disk_format',
      'status',
      'os_type',
      'visibility',
      'image_member_status',
      'created_at',
      'updated_at',
    ],
    substring: ['name'],
    field: (image, name) => fields(image)[name],
    view: imageView,
  })
}

export function getImage(id: string): SandboxResponse {
  const image = IMAGES.find((known) => known.id === id)
  if (image === undefined) throw new ServiceRefusal(404, `Image ${id} could not be found.`)
  return { status: 200, body: { image: imageView(image) } }
}

const fields = (image: Image): Readonly<Record<string, FieldValue | undefined>> => ({
  id: image.id,
  name: image.name,
  description: null,
  size: SIZE_BYTES,
  status: 'active',
  owner: OWNER,
  project_id: OWNER,
  visibility: 'public',
  is_shared: false,
  image_type: 'basic',
  disk_format: 'raw',
  container_format: 'bare',
  min_disk: image.minDiskGb,
  min_ram: 0,
  virtual_size: SIZE_BYTES,
  instance_type: image.instanceType,
  image_member_status: null,
  os_type: 'linux',
  created_at: stamp(SEEDED_AT),
  updated_at: stamp(SEEDED_AT),
})

function imageView(image: Image): object {
  const { os_type: _, ...members } = fields(image)
  return {
    ...members,
    os_info: { type: 'linux', distro: 'ubuntu', architecture: 'x86_64', admin_user: 'ubuntu', is_hidden: false },
  }
}

/** Inside an instance it is `min_memory`, and the system's members lie flat. */
const INSIDE_INSTANCES: ReadonlyMap<string, object> = new Map(
  IMAGES.map((image) => [
    image.id,
    {
      id: image.id,
      name: image.name,
      description: null,
      owner: OWNER,
      size: SIZE_BYTES,
      status: 'active',
      image_type: 'basic',
      disk_format: 'raw',
      instance_type: image.instanceType,
      member_status: null,
      min_disk: image.minDiskGb,
      min_memory: 0,
      os_admin: 'ubuntu',
      os_distro: 'ubuntu',
      os_type: 'linux',
      os_architecture: 'x86_64',
      is_windows: false,
      created_at: stamp(SEEDED_AT),
      updated_at: stamp(SEEDED_AT),
    },
  ]),
)

export const imageInInstance = (imageId: string): object | null => INSIDE_INSTANCES.get(imageId) ?? null
