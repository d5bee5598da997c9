/**
 * A second process for tests: opens the database in the folder of its argument, writes the row of an installation, says
 * `open`, and keeps it until its standard input ends or somebody kills it. A refusal is its one line on standard error.
 */
import { openDatabase } from '../../broker/store/database.ts'
import { ensureHead } from '../../broker/store/head.ts'

const folder = process.argv[2]
if (folder === undefined) throw new Error('usage: open-folder.ts <folder>')

try {
  const database = await openDatabase({
    url: null,
    folder,
    onBroken: () => undefined, // there are no connections
    onLost(error) {
      throw error
    },
  })
  await ensureHead(database.queries, 4_711)
  process.stdout.write('open\n')
  process.stdin.resume().once('end', () => void database.close())
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
