/** Runs Moonrabbit Cloud until it is told to stop: `MOONRABBIT_PORT` (default 8300), `MOONRABBIT_SECRET`. */
import { startOperator } from '../../../deploy/sandbox/harness.ts'
import { moonrabbit } from './operator.ts'

const { MOONRABBIT_PORT: port = '8300', MOONRABBIT_SECRET: secret = '' } = process.env
if (secret === '') throw new Error('MOONRABBIT_SECRET must be set: the secret of the client gpu-broker')

const operator = await startOperator(moonrabbit({ id: 'gpu-broker', secret }), {
  port: Number(port),
  dir: null,
  bootMs: 300,
  latencyMs: 0,
  ratePerSecond: 1_000,
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void operator.close())
process.stdout.write(`Moonrabbit Cloud is at ${operator.url}\n`)
