#!/usr/bin/env node
/** The bin file: hands the command line its process, and ends with its status. */
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { processEnv } from './environment.ts'
import { run } from './program.ts'
import { terminalOf } from './screen/terminal.ts'

const { stdout, stderr, stdin, argv } = process

// Whoever reads us may have read enough (`| head`): that is no failure.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

const env = processEnv()
const interrupt = new AbortController()
// `serve` stops in its own order and takes the signal for itself.
if (argv[2] !== 'serve') process.once('SIGINT', () => interrupt.abort(new Error('interrupted')))

process.exitCode = await run(argv.slice(2), {
  terminal: terminalOf({ stdout, stderr, env }),
  env,
  now: Date.now,
  pause: (ms, signal) => pause(ms, undefined, { signal }),
  readText: (path) => (path === '-' ? text(stdin) : readFile(path, 'utf8')),
  signal: interrupt.signal,
})
