/** A child for the tests of `start-child.ts`: answers at FIXTURE_PORT with its process id, says a line, ends when asked or as FIXTURE_FAILS says. */
import { createServer } from 'node:http'

process.stdout.write(`the fixture runs as ${process.env['FIXTURE_NAME']}\n`)
if (process.env['FIXTURE_FAILS'] !== undefined) {
  process.stderr.write('something is wrong\n')
  process.exit(7)
}
createServer((_, response) => response.end(String(process.pid))).listen(
  Number(process.env['FIXTURE_PORT']),
  '127.0.0.1',
)
if (process.env['FIXTURE_STUBBORN'] !== undefined) process.on('SIGTERM', () => void process.stdout.write('not now\n'))
