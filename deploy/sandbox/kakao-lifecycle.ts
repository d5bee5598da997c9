/**
 * An instance's state as a function of the clock: what it rested in, the task it was given, and how long that takes.
 * `status` is the running task while there is one, else the state it rests in. Pure.
 */

export type StableState = 'building' | 'active' | 'stopped' | 'shelved_offloaded' | 'error'

export type TaskName =
  | 'build'
  | 'build-without-host'
  | 'start'
  | 'stop'
  | 'soft-reboot'
  | 'hard-reboot'
  | 'shelve'
  | 'unshelve'
  | 'resize'
  | 'rebuild'

export interface Task {
  readonly name: TaskName
  readonly startedAt: number
  readonly durationMs: number
  readonly endsIn: StableState
}

export interface Life {
  readonly createdAt: number
  /** What it rested in before `task`. */
  readonly stable: StableState
  readonly task: Task | null
  readonly deletion: { readonly askedAt: number; readonly goneAt: number } | null
}

export interface Look {
  readonly status: string
  readonly vmState: string
  /** Null only when idle. */
  readonly taskState: string | null
  readonly powerState: 'NOSTATE' | 'RUNNING' | 'SHUTDOWN'
  /** Null while a task runs and after the end. */
  readonly idle: StableState | null
  /** Whether the network interface has its address. */
  readonly networked: boolean
  readonly gone: boolean
  readonly updatedAt: number
}

interface Phase {
  readonly taskState: string
  /** Of the task's duration; the last phase takes what is left. */
  readonly part: number
}

const phases = (...parts: readonly (readonly [string, number])[]): readonly Phase[] =>
  parts.map(([taskState, part]) => ({ taskState, part }))

const PHASES: Readonly<Record<TaskName, readonly Phase[]>> = {
  build: phases(['scheduling', 0.1], ['networking', 0.2], ['spawning', 0.7]),
  'build-without-host': phases(['scheduling', 1]),
  start: phases(['powering-on', 1]),
  stop: phases(['powering-off', 1]),
  'soft-reboot': phases(['rebooting', 1]),
  'hard-reboot': phases(['rebooting_hard', 0.5], ['rebooting_started_hard', 0.5]),
  shelve: phases(['shelving', 0.5], ['shelving_offloading', 0.5]),
  unshelve: phases(['unshelving', 0.5], ['spawning', 0.5]),
  resize: phases(['resize_prep', 0.2], ['resize_migrating', 0.5], ['resize_migrated', 0.1], ['resize_finish', 0.2]),
  rebuild: phases(['rebuilding', 0.3], ['rebuild_spawning', 0.7]),
}

/** Of the boot time, how long each task takes. */
export const TASK_PARTS: Readonly<Record<TaskName, number>> = {
  build: 1,
  'build-without-host': 0.3,
  start: 0.5,
  stop: 0.25,
  'soft-reboot': 0.25,
  'hard-reboot': 0.5,
  shelve: 0.5,
  unshelve: 0.5,
  resize: 0.5,
  rebuild: 1,
}

const POWER: Readonly<Record<StableState, Look['powerState']>> = {
  building: 'NOSTATE',
  active: 'RUNNING',
  stopped: 'SHUTDOWN',
  shelved_offloaded: 'SHUTDOWN',
  error: 'NOSTATE',
}

/** A task state that no document names, for clients that must survive one. */
const FUTURE_TASK_STATE = 'preparing_firmware'

/** @param options.futureStrings whether spawning is called what no document names */
export function lookAt(life: Life, now: number, options: { readonly futureStrings?: boolean } = {}): Look {
  const { deletion } = life
  if (deletion !== null && now >= deletion.goneAt) return departed(deletion.goneAt)
  const resting = restingState(life, now)
  const running = runningTask(life, now)
  if (deletion !== null)
    return look({
      vmState: resting,
      taskState: 'deleting',
      updatedAt: deletion.askedAt,
      networked: resting !== 'building',
    })
  if (running === null) {
    const updatedAt = life.task === null ? life.createdAt : life.task.startedAt + life.task.durationMs
    return look({ vmState: resting, taskState: null, updatedAt, networked: hasAddress(life) })
  }
  const taskState = phaseOf(running, now)
  const networked = running.name === 'build' ? taskState === 'spawning' : running.name !== 'build-without-host'
  return look({
    vmState: resting,
    taskState: options.futureStrings && taskState === 'spawning' ? FUTURE_TASK_STATE : taskState,
    updatedAt: running.startedAt,
    networked,
  })
}

/** What it rests in, or rested in before the task that is running. */
function restingState({ stable, task }: Life, now: number): StableState {
  return task !== null && now >= task.startedAt + task.durationMs ? task.endsIn : stable
}

const runningTask = ({ task }: Life, now: number): Task | null =>
  task !== null && now < task.startedAt + task.durationMs ? task : null

/** A build that failed never got one. */
const hasAddress = ({ task }: Life): boolean =>
  !(task !== null && task.name.startsWith('build') && task.endsIn === 'error')

function phaseOf({ name, startedAt, durationMs }: Task, now: number): string {
  const passed = (now - startedAt) / durationMs // a running task has a duration
  let end = 0
  for (const { taskState, part } of PHASES[name]) {
    end += part
    if (passed < end) return taskState
  }
  return PHASES[name].at(-1)?.taskState ?? name // rounding may leave a sliver after the last part
}

function look(given: {
  readonly vmState: StableState
  readonly taskState: string | null
  readonly updatedAt: number
  readonly networked: boolean
}): Look {
  const { vmState, taskState } = given
  return {
    ...given,
    status: taskState ?? vmState,
    powerState: POWER[vmState],
    idle: taskState === null ? vmState : null,
    gone: false,
  }
}

const departed = (goneAt: number): Look => ({
  status: 'deleted',
  vmState: 'deleted',
  taskState: null,
  powerState: 'NOSTATE',
  idle: null,
  networked: false,
  gone: true,
  updatedAt: goneAt,
})
