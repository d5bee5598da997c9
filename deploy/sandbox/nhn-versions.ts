/** The version documents that OpenStack clients look for before their first call; nobody needs a token for them. */
import type { SandboxRequest, SandboxResponse } from './harness.ts'
import { answer } from './nhn-wire.ts'

interface Versions {
  readonly id: string
  readonly path: string
  readonly status: string
  /** What the unversioned address answers with: a list of choices has status 300 where that is the custom. */
  readonly choices: (version: object) => SandboxResponse
}

const list =
  (status: number) =>
  (version: object): SandboxResponse =>
    answer(status, { versions: [version] })

const VERSIONS: Readonly<Record<string, Versions>> = {
  '/identity': {
    id: 'v2.0',
    path: '/v2.0',
    status: 'stable',
    choices: (version) => answer(300, { versions: { values: [version] } }),
  },
  '/compute': { id: 'v2.0', path: '/v2', status: 'SUPPORTED', choices: list(200) },
  '/volume': { id: 'v2.0', path: '/v2', status: 'SUPPORTED', choices: list(300) },
  '/image': { id: 'v2.5', path: '/v2', status: 'CURRENT', choices: list(300) },
  '/network': { id: 'v2.0', path: '/v2.0', status: 'CURRENT', choices: list(200) },
}

/** Null when the request is not for a version document. `/` names the services. */
export function versionsOf({ method, path, baseUrl }: SandboxRequest): SandboxResponse | null {
  if (method !== 'GET' && method !== 'HEAD') return null
  if (path === '/') return answer(200, { services: Object.keys(VERSIONS).map((prefix) => `${baseUrl}${prefix}`) })
  const bare = path.replace(/\/$/, '')
  for (const [prefix, service] of Object.entries(VERSIONS)) {
    const href = `${baseUrl}${prefix}${service.path}/`
    const version = {
      id: service.id,
      status: service.status,
      version: '',
      min_version: '',
      links: [{ rel: 'self', href }],
    }
    if (bare === prefix) return service.choices(version)
    if (bare === `${prefix}${service.path}`) return answer(200, { version })
  }
  return null
}
