/** Nova's calls beside servers: flavors, zones, key pairs, limits. */
import { createHash, generateKeyPairSync } from 'node:crypto'
import { z } from 'zod'
import type { SandboxRequest, SandboxResponse } from './harness.ts'
import { USER_ID } from './nhn-identity.ts'
import { FLAVORS, ZONES } from './nhn-records.ts'
import type { Flavor, KeypairRecord, NhnWorld } from './nhn-records.ts'
import { isGone } from './nhn-server-state.ts'
import { answer, bodyAs, fault, linksOf, nextLink, pageOf, refuse, route, secondsZ } from './nhn-wire.ts'
import type { Route } from './nhn-wire.ts'
import { NHN } from './settings.ts'

const NewKeypair = z.object({
  keypair: z.object({ name: z.string().min(1).max(255), public_key: z.string().optional() }),
})
/** What the limits say while no quota is set. */
const ORDINARY_NODE_LIMIT = 1_000

export const catalogueRoutes = (world: NhnWorld): readonly Route[] => [
  route('GET', '/flavors', ({ query }) =>
    flavors(query, ({ id, name }) => ({ id, name, links: linksOf('flavors', id) })),
  ),
  route('GET', '/flavors/detail', ({ query }) => flavors(query, flavorDetail)),
  route('GET', '/flavors/:id', (_request, parameter) => {
    const flavor = FLAVORS.find(({ id }) => id === parameter('id'))
    return flavor === undefined
      ? fault(404, `Flavor ${parameter('id')} could not be found.`)
      : answer(200, { flavor: flavorDetail(flavor) })
  }),
  route('GET', '/os-availability-zone', () =>
    answer(200, {
      availabilityZoneInfo: ZONES.map((zoneName) => ({ zoneName, zoneState: { available: true }, hosts: null })),
    }),
  ),
  route('GET', '/limits', () => answer(200, { limits: { rate: [], absolute: absoluteLimits(world) } })),
  route('GET', '/os-keypairs', () =>
    answer(200, { keypairs: world.keypairs.values().map((keypair) => ({ keypair: publicPart(keypair) })) }),
  ),
  route('POST', '/os-keypairs', (request) => createKeypair(world, request)),
  route('GET', '/os-keypairs/:name', (_request, parameter) =>
    answer(200, { keypair: detailOf(keypair(world, parameter('name'))) }),
  ),
  route('DELETE', '/os-keypairs/:name', (_request, parameter) => {
    const { name } = keypair(world, parameter('name'))
    world.keypairs.delete(name)
    world.ledger.gone('keypair', name, world.now())
    return answer(202)
  }),
]

function flavors(query: URLSearchParams, shown: (flavor: Flavor) => object): SandboxResponse {
  const minRam = Number(query.get('minRam') ?? 0)
  const minDisk = Number(query.get('minDisk') ?? 0)
  // Every flavor here has no disk of its own.
  const fitting = FLAVORS.filter((flavor) => flavor.ram >= minRam && minDisk <= 0)
  const { items, next } = pageOf(fitting, query)
  const links = next === null ? {} : { flavors_links: [nextLink('flavors', query, next)] }
  return answer(200, { flavors: items.map(shown), ...links })
}

const flavorDetail = ({ id, name, ram, vcpus, type }: Flavor): object => ({
  id,
  name,
  ram,
  vcpus,
  disk: 0,
  swap: '',
  rxtx_factor: 1,
  'OS-FLV-EXT-DATA:ephemeral': 0,
  'OS-FLV-DISABLED:disabled': false,
  'os-flavor-access:is_public': false,
  extra_specs: { flavor_type: type },
  links: linksOf('flavors', id),
})

function absoluteLimits(world: NhnWorld): object {
  const nowMs = world.now()
  const used = world.servers.values().filter((server) => !isGone(server, nowMs)).length
  const most = world.behaviour.quotaNodes ?? ORDINARY_NODE_LIMIT
  const [node] = FLAVORS
  const { vcpus = 0, ram = 0 } = node ?? {}
  return {
    maxTotalInstances: most,
    totalInstancesUsed: used,
    maxTotalCores: most * vcpus,
    totalCoresUsed: used * vcpus,
    maxTotalRAMSize: most * ram,
    totalRAMUsed: used * ram,
    maxTotalKeypairs: 100,
    maxServerMeta: 128,
  }
}

function keypair(world: NhnWorld, name: string): KeypairRecord {
  const found = world.keypairs.get(name)
  if (found === undefined) throw refuse(404, `Keypair ${name} not found for user ${USER_ID}`)
  return found
}

const fingerprintOf = (publicKey: string): string =>
  createHash('md5')
    .update(publicKey)
    .digest('hex')
    .replaceAll(/(..)(?!$)/g, '$1:')

const publicPart = ({ name, publicKey }: KeypairRecord): object => ({
  name,
  public_key: publicKey,
  fingerprint: fingerprintOf(publicKey),
})

const detailOf = (record: KeypairRecord): object => ({
  ...publicPart(record),
  id: 1,
  user_id: USER_ID,
  created_at: secondsZ(record.createdAtMs),
  updated_at: null,
  deleted: false,
  deleted_at: null,
})

function createKeypair(world: NhnWorld, request: SandboxRequest): SandboxResponse {
  const { name, public_key: given } = bodyAs(request, NewKeypair).keypair
  if (world.keypairs.has(name)) return fault(409, `Key pair '${name}' already exists.`)
  if (given !== undefined && !/^(ssh|ecdsa|sk)-\S+ \S+/.test(given))
    return fault(400, 'Keypair data is invalid: failed to generate fingerprint')
  const generated = given === undefined ? generateKeyPairSync('ed25519') : null
  const der = generated?.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  const record = { name, publicKey: given ?? `ssh-ed25519 ${der} ${NHN.username}`, createdAtMs: world.now() }
  world.keypairs.set(name, record)
  world.ledger.made({ kind: 'keypair', id: name, name, atMs: world.now() })
  const secret =
    generated === null ? {} : { private_key: generated.privateKey.export({ type: 'pkcs8', format: 'pem' }) }
  return answer(200, { keypair: { ...publicPart(record), user_id: USER_ID, ...secret } })
}
