/** Preloaded into a process that is measured: writes the 99th percentile of its event loop's lag, in ms, into `LAG_FILE`. */
import { writeFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'

const RESOLUTION_MS = 10
const EVERY_MS = 1_000

const file = process.env['LAG_FILE']
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
delay.enable()
setInterval(() => {
  // What it samples are intervals between its own timers, so without any lag they are as long as its resolution.
  const p99Ms = Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION_MS)
  if (file !== undefined) writeFileSync(file, p99Ms.toFixed(1))
}, EVERY_MS).unref()
