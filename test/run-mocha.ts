/**
 * Runs the test files named as arguments in this process, as mocha's own command does, and tells the process that started
 * it how many passed: a number that nobody has to find in a text.
 */
import { resolve } from 'node:path'
import Mocha from 'mocha'
import options from '../.mocharc.json' with { type: 'json' }
import { mochaGlobalTeardown } from './support/process.ts'

// A runner that was killed cannot stop us: then its end of the channel closes.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
process.channel?.unref()

const settings = { ...options, reporter: 'spec', globalTeardown: [mochaGlobalTeardown] } // the types lack the last one
const mocha = new Mocha(settings)
for (const file of process.argv.slice(2)) mocha.addFile(resolve(file))
await mocha.loadFilesAsync()
/** As long as the runner of all parts waits. */
const LINGER_MS = 30_000
const runner = mocha.run((failed) => {
  process.exitCode = failed === 0 ? 0 : 1
  const { passes, pending } = runner.stats ?? { passes: 0, pending: 0 }
  process.send?.({ passed: passes, failed, skipped: pending })
  if (process.send === undefined) endByHand()
})

/** Who runs a file by hand is not left waiting for what a test, or a hook that failed, has left open. */
function endByHand(): void {
  setTimeout(() => {
    process.stderr.write(`something is left open: ${process.getActiveResourcesInfo().join(', ')}\n`)
    process.exit(1)
  }, LINGER_MS).unref()
}
