/**
 * The simulated KakaoCloud: IAM, compute (bcs), image, volume, vpc, network and endpoint discovery (heimdall), one path
 * prefix each. It holds one project, and two access keys of which one may only read.
 */
import type { Operator, OperatorSetup, SandboxRequest, SandboxResponse } from './harness.ts'
import { answerIdentity, authenticated } from './kakao-identity.ts'
import { DEFAULT_KNOBS } from './kakao-knobs.ts'
import type { KakaoKnobs } from './kakao-knobs.ts'
import { routed } from './kakao-routes.ts'
import { openState, seed } from './kakao-state.ts'
import type { KakaoState } from './kakao-state.ts'
import { SchemaRefusal, serviceError, ServiceRefusal } from './kakao-wire.ts'

/** @param knobs where it shall differ from what is likeliest */
export const kakaoWith = (knobs: Partial<KakaoKnobs>): OperatorSetup => ({
  name: 'kakao',
  create: (context): Operator => {
    const state = openState(context, { ...DEFAULT_KNOBS, ...knobs })
    return {
      handle: (request) => handle(state, request),
      throttled: () => throttled(state),
      breakNode(id) {
        const instance = state.instances.get(id)
        if (instance === undefined) return false
        state.instances.set(id, { ...instance, stable: 'error', task: null })
        return true
      },
    }
  },
})

export const kakao: OperatorSetup = kakaoWith({})

function handle(state: KakaoState, request: SandboxRequest): SandboxResponse {
  // A reset empties every table.
  seed(state)
  try {
    return request.path.startsWith('/iam/') ? answerIdentity(state, request) : answerService(state, request)
  } catch (error) {
    return refusal(state, error)
  }
}

function answerService(state: KakaoState, request: SandboxRequest): SandboxResponse {
  const key = authenticated(state, request)
  if (key === null) return serviceError(401, 'The request you have made requires authentication.')
  if (state.knobs.requireContentType && !isJson(request))
    return serviceError(400, 'Content-Type must be application/json.')
  const route = routed(request)
  if (route === null) return serviceError(404, `There is no ${request.method} ${request.path}.`)
  if (key.role === 'Viewer' && request.method !== 'GET')
    return serviceError(403, 'You are not authorized to perform this action.')
  const { query, body } = request
  return route.handler({ state, request, query, body, ids: route.ids })
}

const isJson = ({ headers }: SandboxRequest): boolean =>
  headers['content-type']?.startsWith('application/json') ?? false

function refusal({ knobs }: KakaoState, error: unknown): SandboxResponse {
  if (error instanceof ServiceRefusal) return serviceError(error.status, error.message)
  if (error instanceof SchemaRefusal)
    return knobs.schemaErrors === 422
      ? { status: 422, body: { detail: error.detail } }
      : serviceError(400, error.message)
  console.error('sandbox kakao: answered 500', error)
  return serviceError(500, 'Internal server error.')
}

function throttled({ knobs }: KakaoState): SandboxResponse {
  const answer = serviceError(429, 'Too many requests.')
  return knobs.retryAfterSeconds === null
    ? answer
    : { ...answer, headers: { 'retry-after': String(knobs.retryAfterSeconds) } }
}
