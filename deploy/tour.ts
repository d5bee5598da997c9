/**
 * The tour: the programme's own figures through the whole path, from an approval to nodes and back. Chapter by chapter;
 * each claim is checked where it is made (tour-claims.ts), against the API and against what the operators themselves noted.
 */
import { paintFor } from '../broker/cli/screen/terminal.ts'
import { count, duration } from '../broker/cli/screen/words.ts'
import { castOf } from './tour-cast.ts'
import { showClusters, showCompute, showRefusal } from './tour-catalogue.ts'
import { createClaims } from './tour-claims.ts'
import type { Tour, TourOptions } from './tour-context.ts'
import { clearUpEarlierTours, notOursIn, showLedgers, showSummary } from './tour-ending.ts'
import { releaseAll, showRunning, showWaiting, type Story } from './tour-running.ts'

/**
 * Leaves nothing running behind, also where a claim is broken.
 *
 * @returns whether everything came true
 * @throws what the client throws, and the signal's reason
 */
export async function runTour(options: TourOptions): Promise<boolean> {
  const { terminal, now } = options
  const paint = paintFor(terminal)
  const claims = createClaims(terminal)
  const tour: Tour = {
    ...options,
    claim: (...claim) => claims.claim(...claim),
    say: (line) => terminal.write(`  ${line}\n`),
  }
  const chapter = (title: string): void => terminal.write(`\n${paint('bold', title)}\n`)
  const startedAt = now()

  await clearUpEarlierTours(tour)
  const notOurs = await notOursIn(tour)

  chapter('The programme')
  const { nodesInService } = await showClusters(tour)
  const cast = castOf({ id: startedAt.toString(36), now: startedAt, nodesInService })
  for (const { approvalId, approval } of Object.values(cast)) await options.client.putApproval(approvalId, approval)
  tour.say(
    `${Object.keys(cast).length} requests were approved: a national project, a university, a start-up, a company, an institute.`,
  )

  chapter('A company asks for more nodes in one cluster than any has')
  await showRefusal(tour, cast.tooLarge)

  chapter('A start-up asks for compute, not for nodes')
  const preview = await showCompute(tour, cast.startup)

  chapter('A national project, a university and the start-up get their nodes')
  const story: Story = await showRunning(tour, cast, preview)

  chapter('An institute waits, and starts when the national project gives its nodes back')
  const waited = await showWaiting(tour, cast.waiting, story)

  chapter('Everything is given back')
  const ended = await releaseAll(tour, [...story.allocations, waited])

  chapter('What happened')
  showSummary(tour, ended)
  await showLedgers(tour, notOurs)

  const sum = `${count(claims.made)} claims, ${claims.broken === 0 ? 'all came true' : `${claims.broken} did not come true`}, in ${duration(now() - startedAt)}.`
  terminal.write(`\n${paint(claims.broken === 0 ? 'green' : 'red', sum)}\n`)
  return claims.broken === 0
}
