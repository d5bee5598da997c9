/** Keypairs: addressed by name, which is unique in a project. */
import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { SandboxResponse } from './harness.ts'
import { SUCCESS } from './kakao-knobs.ts'
import { USER_ID } from './kakao-seed.ts'
import type { KakaoState, KeypairRecord } from './kakao-state.ts'
import { listAnswer, parseBody, ServiceRefusal, stamp } from './kakao-wire.ts'
import type { FieldValue } from './kakao-wire.ts'

const NewKeypair = z.object({ keypair: z.object({ name: z.string().min(1), public_key: z.string().nullish() }) })

/** The private key is in this one answer only, and only where it was made here. */
export function createKeypair(state: KakaoState, body: Buffer): SandboxResponse {
  const { name, public_key: given } = parseBody(body, NewKeypair).keypair
  if (state.keypairs.has(name)) throw new ServiceRefusal(409, `Keypair ${name} already exists.`)
  const made = typeof given === 'string' ? null : madeKey(name)
  const publicKey = made?.publicKey ?? checkedKey(given ?? '')
  const keypair: KeypairRecord = {
    id: randomUUID(),
    name,
    publicKey,
    fingerprint: fingerprintOf(publicKey),
    createdAt: state.context.now(),
  }
  state.keypairs.set(name, keypair)
  state.context.ledger.made({ kind: 'keypair', id: keypair.id, name, atMs: keypair.createdAt })
  const { id: _, created_at: __, ...answer } = keypairFields(keypair)
  const secret = made === null ? {} : { private_key: made.privateKey }
  return { status: SUCCESS.keypair, body: { keypair: { ...answer, ...secret } } }
}

export function listKeypairs(state: KakaoState, query: URLSearchParams): SandboxResponse {
  return listAnswer({
    noun: 'keypairs',
    rows: state.keypairs.values(),
    query,
    exact: ['id', 'type', 'fingerprint', 'user_id', 'created_at'],
    substring: ['name'],
    field: (keypair, name) => keypairFields(keypair)[name],
    view: keypairFields,
  })
}

export const getKeypair = (state: KakaoState, name: string): SandboxResponse => ({
  status: SUCCESS.other,
  body: { keypair: keypairFields(existing(state, name)) },
})

export function deleteKeypair(state: KakaoState, name: string): SandboxResponse {
  const { id } = existing(state, name)
  state.keypairs.delete(name)
  state.context.ledger.gone('keypair', id, state.context.now())
  return { status: SUCCESS.remove }
}

function existing({ keypairs }: KakaoState, name: string): KeypairRecord {
  const keypair = keypairs.get(name)
  if (keypair === undefined) throw new ServiceRefusal(404, `Keypair ${name} could not be found.`)
  return keypair
}

const keypairFields = (keypair: KeypairRecord): Readonly<Record<string, FieldValue>> => ({
  id: keypair.id,
  name: keypair.name,
  user_id: USER_ID,
  fingerprint: keypair.fingerprint,
  public_key: keypair.publicKey,
  type: 'ssh',
  created_at: stamp(keypair.createdAt),
})

function checkedKey(key: string): string {
  if (!/^(?:ssh-(?:rsa|ed25519)|ecdsa-sha2-\S+) [A-Za-z0-9+/]+={0,2}(?: .*)?$/.test(key.trim()))
    throw new ServiceRefusal(400, 'public_key: not an SSH public key')
  return key.trim()
}

/** As `ssh-keygen -l -E md5` prints it. */
function fingerprintOf(publicKey: string): string {
  const digest = createHash('md5')
    .update(Buffer.from(publicKey.split(' ')[1] ?? '', 'base64'))
    .digest('hex')
  return digest.match(/../g)?.join(':') ?? ''
}

function madeKey(name: string): { publicKey: string; privateKey: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  // The last 32 bytes of the DER form are the key itself.
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32)
  const part = (bytes: Buffer): Buffer => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    return Buffer.concat([length, bytes])
  }
  const blob = Buffer.concat([part(Buffer.from('ssh-ed25519')), part(raw)]).toString('base64')
  return {
    publicKey: `ssh-ed25519 ${blob} ${name}`,
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}
