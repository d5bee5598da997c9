/** Gives a node another name in the operator's own console, so to speak: by the call that such a console makes. */
import { KAKAO, NHN } from '../../deploy/sandbox/settings.ts'
import type { TestSandbox } from '../support/sandbox.ts'

interface ConfiguredUrls {
  readonly id: string
  readonly identityUrl?: string
  readonly computeUrl?: string
  readonly iamUrl?: string
  readonly bcsUrl?: string
}

/** At Naver a server keeps its name. */
export async function renameNode(
  { settings }: TestSandbox,
  operator: 'nhn' | 'kakao',
  { id, name }: { readonly id: string; readonly name: string },
): Promise<void> {
  const urls = (settings.providers as readonly ConfiguredUrls[]).find((one) => one.id === operator) // for-broker.ts makes them
  if (operator === 'nhn') {
    const token = await nhnToken(`${urls?.identityUrl}/tokens`)
    await put(`${urls?.computeUrl}/${NHN.tenantId}/servers/${id}`, token, { server: { name } })
  } else {
    const token = await kakaoToken(`${urls?.iamUrl}/identity/v3/auth/tokens`)
    await put(`${urls?.bcsUrl}/api/v1/instances/${id}`, token, { instance: { name } })
  }
}

async function nhnToken(url: string): Promise<string> {
  const { tenantId, username, password } = NHN
  const answer = await send(url, { auth: { tenantId, passwordCredentials: { username, password } } })
  const { access } = (await answer.json()) as { readonly access: { readonly token: { readonly id: string } } } // Keystone v2
  return access.token.id
}

async function kakaoToken(url: string): Promise<string> {
  const credential = { id: KAKAO.accessKeyId, secret: KAKAO.accessKeySecret }
  const answer = await send(url, {
    auth: { identity: { methods: ['application_credential'], application_credential: credential } },
  })
  return answer.headers.get('x-subject-token') ?? ''
}

const send = (url: string, body: object): Promise<Response> =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

async function put(url: string, token: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json', 'x-auth-token': token }
  const answer = await fetch(url, { method: 'PUT', headers, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`it cannot be renamed: ${answer.status} ${await answer.text()}`)
}
