/** The test runner itself: a runner that overlooks a failure would make every other test worthless. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { runMochaFiles, runPart } from './run-part.ts'
import { type Counts, NO_COUNTS, partLines, readSummary, summaryLine } from './run-report.ts'
import { closeAll } from './support/close-all.ts'
import { isInstalled, withoutTools } from './run-tools.ts'

describe('the test runner', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gpu-broker-run-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  async function run(code: string, lingerMs?: number) {
    const file = join(folder, 'some.test.mjs')
    await writeFile(file, code)
    return runMochaFiles([file], {}, lingerMs)
  }

  it('counts what passed, failed and was skipped, and shows the report', async () => {
    const { counts, problem, output } = await run(`
      it('is fine', () => {})
      it('is fine, too', async () => {})
      it('is wrong', () => { throw new Error('because of this') })
      it('comes later')
    `)
    expect(counts).to.deep.equal({ passed: 2, failed: 1, skipped: 1 })
    expect(problem).to.equal(null)
    expect(output).to.contain('is fine, too').and.contain('because of this')
  })

  it('counts a hook that fails', async () => {
    const { counts } = await run("before(() => { throw new Error('no') }); it('never runs', () => {})")
    expect(counts).to.deep.equal({ passed: 0, failed: 1, skipped: 0 })
  })

  it('counts a rejection that nobody awaited', async () => {
    const { counts } = await run(`
      it('ends too early', () => void Promise.reject(new Error('unseen')))
      it('is there to be run meanwhile', () => new Promise((resolve) => setImmediate(resolve)))
    `)
    expect(counts.failed).to.be.greaterThan(0)
  })

  it('takes files without a test for a failure', async () => {
    expect((await run('export {}')).problem).to.equal('there is no test in its files')
  })

  it('takes a part without a file for a failure', async () => {
    const outcome = await runPart({ kind: 'mocha', name: 'gone', files: ['test/no-such-folder/*.test.ts'] })
    expect(outcome).to.include({ failed: 1, problem: 'there is no test file' })
  })

  it('takes a file that cannot be loaded for a failure, and shows why', async () => {
    const { counts, problem, output } = await run("import './not-there.mjs'")
    expect(counts).to.deep.equal(NO_COUNTS)
    expect(problem).to.match(/^it ended before its tests had run/)
    expect(output).to.contain('not-there.mjs')
  })

  it('takes a process that ends in the middle for a failure', async () => {
    expect((await run("it('leaves', () => process.exit(0))")).problem).to.match(/^it ended before its tests had run/)
  })

  it('takes a test that keeps others from running for a failure', async () => {
    const { problem } = await run("it.only('is alone', () => {}); it('is left out', () => {})")
    expect(problem).to.match(/^it ended before its tests had run/)
  })

  it('takes something left open for a failure, and ends it', async () => {
    const { counts, problem } = await run("it('leaves a timer', () => void setInterval(() => {}, 1_000))", 100)
    expect(counts.passed).to.equal(1)
    expect(problem).to.contain('something is left open')
  })

  it('takes a command’s last line for its sum, and its status for a failure', async () => {
    const command = (line: string) => runPart({ kind: 'command', name: 'some', command: line })
    expect(await command("echo '1 passed, 1 failed'; echo '12 passed, 0 failed, 3 skipped'")).to.include({
      ...{ passed: 12, failed: 0, skipped: 3, problem: null },
    })
    expect(await command('echo "why it failed" >&2; exit 3')).to.include({
      ...{ passed: 0, failed: 1, problem: 'status 3', output: 'why it failed\n' },
    })
    expect(await command("echo '4 passed, 2 failed'; exit 1")).to.include({ passed: 4, failed: 2 })
  })

  it('ends what does not end in time', async () => {
    const outcome = await runPart({
      kind: 'command',
      name: 'slow',
      command: 'cat /dev/zero >/dev/null',
      deadlineMs: 100,
    })
    expect(outcome).to.include({ failed: 1, problem: 'it did not end within 0.1 s' })
  })

  it('runs the tools of this repository, whatever else the machine has', async () => {
    const outcome = await runPart({ kind: 'command', name: 'node', command: 'node --version; command -v mocha' })
    expect(outcome.output).to.match(/^v2[4-9].*\n.*node_modules\/\.bin\/mocha\n$/)
  })
})

describe('what tests have started', () => {
  it('is ended one after the other, each whatever became of those before, and the first failure is told', async () => {
    const ended: string[] = []
    const ending = (name: string, problem?: string) => async (): Promise<void> => {
      ended.push(name)
      await new Promise((resolve) => setImmediate(resolve))
      if (problem !== undefined) throw new Error(problem)
    }
    const closing = closeAll(ending('broker', 'it logged errors'), ending('receiver', 'later'), ending('sandbox'))
    const failure: unknown = await closing.catch((error: unknown) => error)
    expect(failure).to.have.property('message', 'it logged errors')
    expect(ended).to.deep.equal(['broker', 'receiver', 'sandbox'])
    await closeAll(ending('again'))
  })
})

describe('a part that needs a tool', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gpu-broker-tool-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  it('finds it anywhere on the path, if it may be executed', async () => {
    const path = `/no-such-folder:${folder}`
    expect(isInstalled('some-tool', path)).to.equal(false)
    await writeFile(join(folder, 'some-tool'), '', { mode: 0o644 })
    expect(isInstalled('some-tool', path)).to.equal(false)
    await chmod(join(folder, 'some-tool'), 0o755)
    expect(isInstalled('some-tool', path)).to.equal(true)
  })

  it('is skipped by name where the tool is missing, and fails in CI', () => {
    const missing = ['promtool', 'amtool']
    expect(withoutTools('alerts', missing, false)).to.include({ name: 'alerts', skipped: 1, failed: 0 })
    expect(withoutTools('alerts', missing, true)).to.include({ name: 'alerts', skipped: 0, failed: 1 })
    expect(partLines(withoutTools('alerts', missing, false))).to.match(
      /^ok +alerts .*1 skipped.*needs promtool, amtool/,
    )
  })
})

describe('the last line of a run', () => {
  const CASES: readonly (readonly [string, Counts])[] = [
    ['3 passed, 0 failed', { passed: 3, failed: 0, skipped: 0 }],
    ['0 passed, 1 failed', { passed: 0, failed: 1, skipped: 0 }],
    ['10 passed, 2 failed, 1 skipped', { passed: 10, failed: 2, skipped: 1 }],
  ]

  for (const [line, counts] of CASES) {
    it(`is \`${line}\`, and is read back as such`, () => {
      expect(summaryLine(counts)).to.equal(line)
      expect(readSummary(`something\n\n${line}\n`)).to.deep.equal(counts)
    })
  }

  it('is nothing else, and stands nowhere else', () => {
    for (const output of ['', '3 passed', '3 passed, 0 failed\nmore', 'ok 3 passed, 0 failed']) {
      expect(readSummary(output), output).to.equal(null)
    }
  })

  it('follows the parts, of which those that failed show all they printed', () => {
    const part = { ...NO_COUNTS, name: 'core', durationMs: 1_234, problem: null, output: 'a\nb\n' }
    expect(partLines({ ...part, passed: 5 })).to.match(/^ok +core +5 passed, 0 failed +1\.2 s$/)
    expect(partLines({ ...part, failed: 1, problem: 'status 1' })).to.match(
      /^FAIL +core +0 passed, 1 failed +1\.2 s +\(status 1\)\n {4}a\n {4}b$/,
    )
  })
})
