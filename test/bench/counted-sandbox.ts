/**
 * The sandbox in a process of its own, as quick and as limited as `npm start` has it, that counts what it is asked. Its
 * parent hears of its addresses once, and of the counts whenever it asks.
 */
import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import { startSandbox } from '../../deploy/sandbox/sandbox.ts'

/** Port → what was called → how often. */
export type Counts = Readonly<Record<string, Readonly<Record<string, number>>>>

export interface Addresses {
  readonly naver: string
  readonly nhn: string
  readonly kakao: string
  readonly identity: string
}

const counts: Record<string, Record<string, number>> = {}

/** Without what differs from call to call: ids and queries. */
const nameOf = (url: string): string => url.replace(/\?.*$/, '').replaceAll(/\/[0-9a-f]{8,}(-[0-9a-f]+)*/g, '/{id}')

subscribe('http.server.request.start', (message) => {
  const { request } = message as { readonly request: IncomingMessage } // what Node says on this channel
  const url = request.url ?? ''
  if (url.startsWith('/_sandbox/')) return
  const ofPort = (counts[String(request.socket.localPort)] ??= {})
  const name = `${request.method} ${nameOf(url)}`
  ofPort[name] = (ofPort[name] ?? 0) + 1
})

const { naver, nhn, kakao, identity } = await startSandbox({ port: 0 })
const addresses: Addresses = { naver: naver.url, nhn: nhn.url, kakao: kakao.url, identity: identity.url }
process.send?.(addresses)
process.on('message', () => process.send?.(counts))
process.on('disconnect', () => process.exit(0))
