/**
 * One broker for all files of this process that can share it: each test works under an approval of its own, and whoever
 * fills a cluster does so in a stretch of time of its own, or gives back what it took.
 */
import { after, before } from 'mocha'
import { closeAll } from '../support/close-all.ts'
import { assertProved } from '../support/proof.ts'
import { START_WITHIN_MS, startTestBroker, type TestBroker } from '../support/broker.ts'

let started: TestBroker | null = null

export function sharedBroker(): TestBroker {
  if (started === null) throw new Error('it is started before the first test')
  return started
}

let nextDay = 30

/** The first of `length` days, counted from today, that no other test fills. */
export function ownDays(length: number): number {
  const first = nextDay
  nextDay += length + 1
  return first
}

// Outside any `describe`, these run once, around all tests of the process.
before(async function start() {
  this.timeout(START_WITHIN_MS)
  started = await startTestBroker()
})
after(async function stop() {
  this.timeout(START_WITHIN_MS)
  const broker = started
  if (broker === null) return
  await closeAll(
    () => assertProved(broker), // all that the files of this process have had decided, made again (invariant 5)
    () => broker.stop(),
  )
})
