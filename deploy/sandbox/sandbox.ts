/** The whole sandbox in one process: three operators and an identity provider, on four ports of loopback. */
import { startOperator } from './harness.ts'
import type { SandboxOptions } from './harness.ts'
import { startIdentity } from './identity.ts'
import { kakao } from './kakao.ts'
import { naver } from './naver.ts'
import { nhn } from './nhn.ts'
import { PORT_OFFSET } from './settings.ts'

export interface StartOptions extends Partial<SandboxOptions> {
  /** The first of four ports in a row; 0 takes any free ones. */
  readonly port: number
}

interface Service {
  /** Without a slash at the end. */
  readonly url: string
}

export interface RunningSandbox {
  readonly naver: Service
  readonly nhn: Service
  readonly kakao: Service
  /** Its address is the issuer. */
  readonly identity: Service
  close(): Promise<void>
}

/** In memory, and as quick as `npm start` has it, unless said otherwise. */
export const SANDBOX_DEFAULTS: SandboxOptions = { dir: null, bootMs: 2_000, latencyMs: 10, ratePerSecond: 100 }

/** Starts everything, or nothing: what had started is closed when another cannot. */
export async function startSandbox({ port, ...given }: StartOptions): Promise<RunningSandbox> {
  const options = { ...SANDBOX_DEFAULTS, ...given }
  const at = (service: keyof typeof PORT_OFFSET): number => (port === 0 ? 0 : port + PORT_OFFSET[service])
  const started: { close(): Promise<void> }[] = []
  const keep = <T extends { close(): Promise<void> }>(service: T): T => {
    started.push(service)
    return service
  }
  const close = async (): Promise<void> => {
    await Promise.all(started.map((service) => service.close()))
  }
  try {
    return {
      naver: keep(await startOperator(naver, { ...options, port: at('naver') })),
      nhn: keep(await startOperator(nhn, { ...options, port: at('nhn') })),
      kakao: keep(await startOperator(kakao, { ...options, port: at('kakao') })),
      identity: keep(await startIdentity({ dir: options.dir, port: at('identity') })),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
