/** A parent for the test of the leash: starts the child fixture, and is killed. */
import { startChild } from '../../deploy/start-child.ts'
import { fixtureOptions } from './child-options.ts'

await startChild(fixtureOptions({ folder: process.argv[2] ?? '', port: Number(process.argv[3]) })).ready()
process.stdout.write('ready\n')
