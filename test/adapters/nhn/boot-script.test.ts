/** Runs the script in a shell whose `getent`, `id`, `install` and `chown` know only a folder made for the test. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { bootScript, unplaceableKey } from '../../../adapters/nhn/boot-script.ts'

const KEYS = ["ssh-ed25519 AAAA o'hara@example", 'ssh-rsa BBBB+/= $(touch pwned) `id` \\n "x"', '-dash CCCC']

describe('the boot script that places SSH keys', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'boot-script-'))
    for (const user of ['ubuntu', 'root']) mkdirSync(join(folder, user))
    shim('getent', `echo "$2:x:0:0::${folder}/$2:/bin/sh"`)
    shim('id', `case "$*" in *nobody-here*) exit 1 ;; *) echo group ;; esac`)
    shim('install', `for last; do :; done; mkdir -p -m 700 "$last"`)
    shim('chown', 'exit 0')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  function shim(name: string, body: string): void {
    const path = join(folder, name)
    writeFileSync(path, `#!/bin/sh\n${body}\n`)
    chmodSync(path, 0o755)
  }
  const run = (script: string): void => {
    execFileSync('sh', ['-c', script], { cwd: folder, env: { PATH: `${folder}:/usr/bin:/bin` } })
  }
  const keysOf = (user: string): string => join(folder, user, '.ssh', 'authorized_keys')

  it('adds every key as it stands, runs nothing of it, and adds none twice', () => {
    run(bootScript(KEYS, 'ubuntu'))
    run(bootScript(KEYS, 'ubuntu'))
    expect(readFileSync(keysOf('ubuntu'), 'utf8')).to.equal(`${KEYS.join('\n')}\n`)
    expect(statSync(keysOf('ubuntu')).mode & 0o777).to.equal(0o600)
    expect(() => statSync(join(folder, 'pwned'))).to.throw('ENOENT')
  })

  it('keeps the keys that the operator placed, even without an end of line', () => {
    mkdirSync(join(folder, 'ubuntu', '.ssh'))
    writeFileSync(keysOf('ubuntu'), 'ssh-rsa OPERATOR')
    run(bootScript(KEYS.slice(0, 1), 'ubuntu'))
    expect(readFileSync(keysOf('ubuntu'), 'utf8')).to.equal(`ssh-rsa OPERATOR\n${KEYS[0]}\n`)
  })

  it('serves root where the image has no such user', () => {
    run(bootScript(KEYS.slice(0, 1), 'nobody-here'))
    expect(readFileSync(keysOf('root'), 'utf8')).to.equal(`${KEYS[0]}\n`)
  })

  for (const key of ['', '  ', 'a\nb', 'a\u0000', 'GPU_BROKER_KEYS_END'])
    it(`does not place ${JSON.stringify(key)}`, () => {
      expect(unplaceableKey(['ssh-rsa AAAA', key])).to.equal(2)
    })
})
