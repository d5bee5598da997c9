/** Login keys: made here, their private half shown once, or brought along. */
import { createHash, generateKeyPairSync } from 'node:crypto'
import { ServiceRefusal, invalidParameter } from './naver-errors.ts'
import { wireDate } from './naver-wire.ts'
import type { WireRecord } from './naver-wire.ts'
import { contains, listed, rowsOf } from './naver-world.ts'
import type { Actions, KeyRecord, World } from './naver-world.ts'
import { NAVER } from './settings.ts'

const RSA_BITS = 2_048

export const keyActions = (world: World): Actions => ({
  createLoginKey(given) {
    const keyName = newName(world, given.required('keyName'))
    const { publicKey, privateKey } = generateKeyPairSync('rsa', {
      modulusLength: RSA_BITS,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    })
    addKey(world, keyName, publicKey)
    return { keyName, privateKey }
  },

  importLoginKey(given) {
    const keyName = newName(world, given.required('keyName'))
    return rowsOf('loginKeyList', [view(addKey(world, keyName, given.required('publicKey')))])
  },

  getLoginKeyList(given) {
    const name = given.text('keyName')
    return listed(
      given,
      'loginKeyList',
      world.keys
        .values()
        .filter((key) => contains(name, key.keyName))
        .map(view),
    )
  },

  deleteLoginKeys(given) {
    const names = [...new Set(given.list('keyNameList'))]
    if (names.length === 0) throw invalidParameter('keyNameList', 'is required.')
    const keys = names.map((name) => {
      const key = world.keys.get(name)
      if (key === undefined) throw new ServiceRefusal('notFound', `Login key ${name} does not exist.`)
      return key
    })
    for (const { keyName } of keys) {
      world.keys.delete(keyName)
      world.context.ledger.gone('keypair', keyName, world.now())
    }
    return rowsOf('loginKeyList', keys.map(view))
  },
})

/** The account's key from the start; it was not made by any call, so the ledger does not have it. */
export function seedKey(world: World): void {
  if (world.keys.has(NAVER.loginKeyName)) return
  const publicKey = `ssh-ed25519 simulated ${NAVER.loginKeyName}`
  world.keys.set(NAVER.loginKeyName, {
    keyName: NAVER.loginKeyName,
    publicKey,
    fingerprint: fingerprint(publicKey),
    createdAtMs: world.now(),
  })
}

function newName(world: World, keyName: string): string {
  if (keyName.length < 3 || keyName.length > 30) throw invalidParameter('keyName', 'must have 3 to 30 characters.')
  if (world.keys.has(keyName)) throw new ServiceRefusal('duplicateName', `Login key ${keyName} exists.`)
  return keyName
}

function addKey(world: World, keyName: string, publicKey: string): KeyRecord {
  const key: KeyRecord = { keyName, publicKey, fingerprint: fingerprint(publicKey), createdAtMs: world.now() }
  world.keys.set(keyName, key)
  world.context.ledger.made({ kind: 'keypair', id: keyName, name: keyName, atMs: key.createdAtMs })
  return key
}

const fingerprint = (publicKey: string): string =>
  (createHash('md5').update(publicKey).digest('hex').match(/../g) ?? []).join(':')

const view = (key: KeyRecord): WireRecord => ({
  fingerprint: key.fingerprint,
  keyName: key.keyName,
  publicKey: key.publicKey,
  createDate: wireDate(key.createdAtMs),
})
