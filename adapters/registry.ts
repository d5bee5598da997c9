/**
 * Provider kind → its settings and its factory: the one list that the broker's main file reads. A new adapter is a new
 * line here, and nothing else outside its folder.
 */
import { z } from 'zod'
import type { AdapterContext, Provider, Traffic } from '../shared/provider.ts'
import { KakaoSettings, createKakaoProvider } from './kakao/index.ts'
import { NaverSettings, createNaverProvider } from './naver/index.ts'
import { NhnSettings, createNhnProvider } from './nhn/index.ts'
import { RemoteSettings, createRemoteProvider } from './remote/index.ts'

export type ClosableProvider = Provider & {
  /** Ends the idle connections to the operator; calls in flight fail. */
  close(): void
  traffic(): Traffic
}

export interface Adapter {
  /** What the provider's entry in the configuration must look like, its secrets already resolved. */
  readonly settings: z.ZodType
  /** @throws ZodError that names each member in question by its path */
  create(rawSettings: unknown, context: AdapterContext): ClosableProvider
}

const adapter = <S extends z.ZodType>(
  settings: S,
  create: (settings: z.infer<S>, context: AdapterContext) => ClosableProvider,
): Adapter => ({
  settings,
  create: (rawSettings, context) => create(settings.parse(rawSettings), context),
})

export const ADAPTERS = {
  kakao: adapter(KakaoSettings, createKakaoProvider),
  naver: adapter(NaverSettings, createNaverProvider),
  nhn: adapter(NhnSettings, createNhnProvider),
  remote: adapter(RemoteSettings, createRemoteProvider),
} as const satisfies Readonly<Record<string, Adapter>>

export type ProviderKind = keyof typeof ADAPTERS

export const PROVIDER_KINDS = Object.keys(ADAPTERS) as readonly ProviderKind[]

const Kind = z.enum(PROVIDER_KINDS, { error: `must be one of: ${PROVIDER_KINDS.join(', ')}` })

/**
 * Parses one provider's settings and builds it; nothing is sent to the operator yet.
 *
 * @param rawSettings as configured, `kind` included, secrets resolved
 * @throws ZodError for an unknown kind (path `kind`) and for every member that is not as it should be; never with a value
 */
export function createProvider(kind: string, rawSettings: unknown, context: AdapterContext): ClosableProvider {
  const known = z.object({ kind: Kind }).parse({ kind })
  return ADAPTERS[known.kind].create(rawSettings, context)
}
