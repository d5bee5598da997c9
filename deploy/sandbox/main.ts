/** `npm run sandbox`: the sandbox as a process of its own, until it is told to stop. Its knobs come from the environment. */
import { SANDBOX_DEFAULTS, startSandbox } from './sandbox.ts'
import { SANDBOX_DEFAULT_PORT } from './settings.ts'

const HIGHEST_FIRST_PORT = 65_532

function numberFrom(name: string, fallback: number, most: number): number {
  const text = process.env[name]
  if (text === undefined || text === '') return fallback
  const value = Number(text)
  if (Number.isFinite(value) && value >= 0 && value <= most) return value
  throw new RangeError(`${name} must be a number from 0 to ${most}, not "${text}"`)
}

async function main(): Promise<void> {
  const sandbox = await startSandbox({
    port: numberFrom('SANDBOX_PORT', SANDBOX_DEFAULT_PORT, HIGHEST_FIRST_PORT),
    bootMs: numberFrom('SANDBOX_BOOT_MS', SANDBOX_DEFAULTS.bootMs, 86_400_000),
    latencyMs: numberFrom('SANDBOX_LATENCY_MS', SANDBOX_DEFAULTS.latencyMs, 600_000),
    ratePerSecond: numberFrom('SANDBOX_RATE', SANDBOX_DEFAULTS.ratePerSecond, 1_000_000),
    dir: process.env['SANDBOX_DIR'] ?? '.sandbox',
  })
  let stopping = false
  const stop = (): void => {
    if (stopping) return
    stopping = true
    sandbox.close().catch((error: unknown) => {
      console.error(error)
      process.exitCode = 1
    })
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  console.log(`sandbox naver     ${sandbox.naver.url}`)
  console.log(`sandbox nhn       ${sandbox.nhn.url}`)
  console.log(`sandbox kakao     ${sandbox.kakao.url}`)
  console.log(`sandbox identity  ${sandbox.identity.url}`)
}

try {
  await main()
} catch (error) {
  console.error(`The sandbox could not start: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
