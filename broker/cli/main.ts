#!/usr/bin/env node
/** The bin file: hands the command line its process, and ends with its status. */
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { processEnv } from './environment.ts'
import { EXIT } from './failure.ts'
import { run } from './program.ts'
import { terminalOf } from './screen/terminal.ts'
import { textFor } from './text/text.ts'

const { stdout, stderr, stdin, argv } = process
const env = processEnv()

// Whoever reads us may have read enough (`| head`): that is no failure.
stdout.on('error', ({ code = 'unknown' }: NodeJS.ErrnoException) => {
  if (code === 'EPIPE') process.exit(EXIT.ok)
  stderr.write(`gpu-broker: ${textFor(env)('standard output cannot be written ({code})', { code })}\n`)
  process.exit(EXIT.refused)
})

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
