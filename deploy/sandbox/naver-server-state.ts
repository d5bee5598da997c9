/**
 * A server's state as this API shows it, status and operation apart, derived from what was last asked of it and the
 * clock. What is asked is taken up only while the operation is NULL, so the last request is all there is to know.
 */

export type ServerAsked =
  | 'build'
  | 'failing-build'
  | 'stop'
  | 'start'
  | 'reboot'
  | 'setup-running'
  | 'setup-stopped'
  | 'terminate'

/** What a server is at, or was last at. */
export interface Phase {
  readonly asked: ServerAsked
  readonly sinceMs: number
  readonly tookMs: number
}

export interface ServerState {
  readonly status: 'INIT' | 'CREAT' | 'RUN' | 'NSTOP' | 'FSTOP'
  readonly operation: 'NULL' | 'CREAT' | 'SETUP' | 'START' | 'SHTDN' | 'RESTA' | 'TERMT'
  readonly statusName: string
}

interface Step extends ServerState {
  /** The part of the phase at which the step ends. */
  readonly until: number
}

const RUNNING: ServerState = { status: 'RUN', operation: 'NULL', statusName: 'running' }
const STOPPED: ServerState = { status: 'NSTOP', operation: 'NULL', statusName: 'stopped' }
const FAILED: ServerState = { status: 'FSTOP', operation: 'NULL', statusName: 'repairing' }

const BUILD: readonly Step[] = [
  { until: 0.1, status: 'INIT', operation: 'NULL', statusName: 'init' },
  { until: 0.4, status: 'CREAT', operation: 'CREAT', statusName: 'creating' },
  { until: 0.6, status: 'CREAT', operation: 'SETUP', statusName: 'setting up' },
  { until: 0.75, status: 'CREAT', operation: 'SETUP', statusName: 'booting' },
]

/** The steps of each phase, and where it ends. A server whose termination has ended is no longer there at all. */
const COURSE: Readonly<Record<ServerAsked, { readonly steps: readonly Step[]; readonly end: ServerState }>> = {
  build: {
    steps: [...BUILD, { until: 1, status: 'RUN', operation: 'SETUP', statusName: 'setting up' }],
    end: RUNNING,
  },
  'failing-build': { steps: BUILD, end: FAILED },
  stop: { steps: [{ until: 1, status: 'RUN', operation: 'SHTDN', statusName: 'shutting down' }], end: STOPPED },
  start: { steps: [{ until: 1, status: 'NSTOP', operation: 'START', statusName: 'booting' }], end: RUNNING },
  reboot: { steps: [{ until: 1, status: 'RUN', operation: 'RESTA', statusName: 'rebooting' }], end: RUNNING },
  'setup-running': { steps: [{ until: 1, status: 'RUN', operation: 'SETUP', statusName: 'setting up' }], end: RUNNING },
  'setup-stopped': {
    steps: [{ until: 1, status: 'NSTOP', operation: 'SETUP', statusName: 'setting up' }],
    end: STOPPED,
  },
  terminate: {
    steps: [{ until: 1, status: 'NSTOP', operation: 'TERMT', statusName: 'terminating' }],
    end: { status: 'NSTOP', operation: 'TERMT', statusName: 'terminating' },
  },
}

export function serverState(phase: Phase, nowMs: number): ServerState {
  const { steps, end } = COURSE[phase.asked]
  const elapsedMs = nowMs - phase.sinceMs
  const { status, operation, statusName } = steps.find((step) => elapsedMs < step.until * phase.tookMs) ?? end
  return { status, operation, statusName }
}

/** The root disk of a new server is attached a little after the server runs: until then it cannot be stopped. */
const DISK_UNTIL = 1.1

export const rootDiskAttached = (phase: Phase, nowMs: number): boolean =>
  (phase.asked !== 'build' && phase.asked !== 'failing-build') || nowMs - phase.sinceMs >= DISK_UNTIL * phase.tookMs

export const isGone = (phase: Phase, nowMs: number): boolean =>
  phase.asked === 'terminate' && nowMs - phase.sinceMs >= phase.tookMs

/** What each status is called beside its code: text for people, nothing to branch on. */
export const STATUS_TEXT: Readonly<Record<ServerState['status'], string>> = {
  INIT: 'Server init state',
  CREAT: 'Server create state',
  RUN: 'Server run state',
  NSTOP: 'Server normal stopped state',
  FSTOP: 'Server failure stopped state',
}
