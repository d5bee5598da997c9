/** A run as a table that a person reads. */
import { facts } from '../../broker/cli/screen/table.ts'
import type { RunReport } from './run.ts'

const listed = (counts: ReadonlyMap<string, number>): string =>
  counts.size === 0 ? 'none' : [...counts].map(([name, count]) => `${name} × ${count}`).join('\n')

export const summary = (report: RunReport): string =>
  facts([
    ['steps', report.steps],
    ['allocations', report.allocations],
    ['nodes ever built', report.nodesBuilt],
    ['answers', listed(report.answers)],
    ['asked again', report.retries],
    ['replicas killed', report.kills.replica],
    ['databases killed', report.kills.database],
    ['replicas that ended by themselves', report.deaths],
    ['faults set', listed(report.faults)],
    ['logged as errors', listed(report.errors)],
    ['nodes that stood twice', report.doubles.names],
    ['the longest for', `${Math.round(report.doubles.longestMs)} ms`],
    [
      'took',
      Object.entries(report.tookMs)
        .map(([name, ms]) => `${name} ${(ms / 1_000).toFixed(1)} s`)
        .join('\n'),
    ],
    ['found', report.findings.length === 0 ? 'nothing' : report.findings.join('\n')],
  ])
