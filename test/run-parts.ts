/** What `npm test` and `npm run test:full` consist of. A test file that no part names fails the run. */

export interface MochaPart {
  readonly kind: 'mocha'
  readonly name: string
  /** Globs of its test files, seen from the repository's root. */
  readonly files: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Default 10 minutes. */
  readonly deadlineMs?: number
}

export interface CommandPart {
  readonly kind: 'command'
  readonly name: string
  /** A line for the shell, which finds the repository's own tools first. If its last line is a sum of tests, that counts. */
  readonly command: string
  /** Whether one reads along, instead of seeing its output only when it fails. */
  readonly shown?: boolean
  /** Default 10 minutes. */
  readonly deadlineMs?: number
}

export type Part = MochaPart | CommandPart

/** A part that takes long or needs a tool that npm does not install. */
export interface LongPart {
  readonly part: Part
  /** Names of executables. One that is missing skips the part, or fails it where `CI` is set. */
  readonly needs: readonly string[]
}

const check = (name: string, script: string): CommandPart => ({
  kind: 'command',
  name: `check: ${name}`,
  command: `npm run -s ${script}`,
})

/** The steps of `npm run check`. */
export const CHECKS: readonly CommandPart[] = [
  check('format', 'format:check'),
  check('types', 'types'),
  check('lint', 'lint'),
  check('unused', 'unused'),
  check('openapi', 'openapi:check'),
  check('metrics', 'metrics:check'),
]

const MINUTE_MS = 60_000

const folder = (name: string): MochaPart => ({ kind: 'mocha', name, files: [`test/${name}/**/*.test.ts`] })

/** What a whole broker does is the same on either store. */
const onBothStores = (name: string): readonly MochaPart[] => [on('pglite', name), on('postgres', name)]

const on = (store: 'pglite' | 'postgres', name: string): MochaPart => ({
  ...folder(name),
  name: `${name} on ${store}`,
  env: { STORE: store },
})

/** The slow ones first, so that two at a time end together. */
export const TESTS: readonly MochaPart[] = [
  ...onBothStores('api').map((part) => ({ ...part, deadlineMs: 20 * MINUTE_MS })), // 4 minutes where nothing is slow
  { ...on('postgres', 'chaos'), deadlineMs: 20 * MINUTE_MS },
  folder('store'),
  folder('app'),
  folder('providers'),
  folder('contract'),
  folder('conformance'),
  folder('sandbox'),
  folder('core'),
  folder('http'),
  folder('adapters'),
  folder('fuzz'),
  folder('outbound'),
  folder('cli'),
  folder('client'),
  folder('deploy'),
  folder('simulate'),
  folder('optimum'),
  { kind: 'mocha', name: 'rules', files: ['test/*.test.ts'] },
]

/** What `npm run test:full` begins with: the very command that the README tells everyone to run. */
export const SHORT_RUN: CommandPart = {
  kind: 'command',
  name: 'npm test',
  command: 'npm test',
  shown: true,
  deadlineMs: 40 * MINUTE_MS, // 9 where nothing is slow
}

/** What `npm run test:full` adds, one after the other: the longest takes 7 minutes where nothing is slow. */
export const LONG_PARTS: readonly LongPart[] = [
  { part: { ...folder('fuzz'), name: 'fuzz, long', env: { FUZZ_RUNS: '120' } }, needs: [] },
  ...onBothStores('durability').map((part) => ({ part: { ...part, deadlineMs: 40 * MINUTE_MS }, needs: [] })),
  { part: { ...on('pglite', 'chaos'), deadlineMs: 20 * MINUTE_MS }, needs: [] },
  { part: { ...folder('replicas'), deadlineMs: 30 * MINUTE_MS }, needs: [] },
  { part: folder('package'), needs: ['tar'] },
  {
    part: {
      ...folder('chaos'),
      name: 'chaos, three replicas',
      env: { STORE: 'postgres', CHAOS_REPLICAS: '3', CHAOS_STEPS: '20' },
      deadlineMs: 20 * MINUTE_MS,
    },
    needs: [],
  },
  { part: { ...folder('observability'), deadlineMs: 20 * MINUTE_MS }, needs: ['promtool', 'prometheus', 'amtool'] },
]
