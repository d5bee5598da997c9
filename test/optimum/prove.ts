/**
 * `npm run prove:optimum`: proves the stored optima again. With seeds after it (`-- 101 102`) it draws new instances
 * instead, proves those and says how far the broker's plan is from them; `--store` keeps them.
 */
import { drawInstance } from './draw-instance.ts'
import { costOf, plannedByBroker, type Proven } from './instance.ts'
import { prove } from './solve.ts'
import { store, storedInstances } from './stored.ts'

const WITHIN_SECONDS = 600

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const ofBroker = ({ instance }: Proven): number => costOf(instance, plannedByBroker(instance))

async function proveAgain(): Promise<void> {
  for (const { instance, cost } of storedInstances()) {
    const again = await prove(instance, WITHIN_SECONDS)
    const verdict =
      again === null ? 'not proven in time' : again.cost === cost ? 'proven' : `WRONG: it is ${again.cost}`
    if (again?.cost !== cost) process.exitCode = 1
    say(`${instance.name}: ${cost} ${verdict}`)
  }
}

async function proveNew(
  seeds: readonly number[],
  { keep, seconds }: { keep: boolean; seconds: number },
): Promise<void> {
  for (const seed of seeds) {
    const proven = await prove(drawInstance(seed), seconds)
    if (proven !== null && keep) store(proven)
    say(
      proven === null
        ? `seed-${seed}: not proven in time`
        : `seed-${seed}: ${proven.cost}, the broker ${ofBroker(proven)}`,
    )
  }
}

const wanted = process.argv.slice(2)
const seeds = wanted.filter((word) => /^[0-9]+$/.test(word)).map(Number)
if (seeds.length === 0) await proveAgain()
else await proveNew(seeds, { keep: wanted.includes('--store'), seconds: WITHIN_SECONDS })
