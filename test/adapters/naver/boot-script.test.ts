import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { bootScript } from '../../../adapters/naver/boot-script.ts'

const KEYS = ['ssh-ed25519 AAAA one@example', "ssh-rsa BBBB it's; $(touch pwned) `x`"]

describe("naver's boot script", () => {
  let home = ''
  let bin = ''
  const file = () => join(home, '.ssh', 'authorized_keys')

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'boot-'))
    bin = join(home, 'bin')
    mkdirSync(bin)
    // The user's home is this folder, and files stay whose they are.
    writeFileSync(join(bin, 'getent'), `#!/bin/sh\necho "$2:x:0:0::${home}:/bin/sh"\n`)
    writeFileSync(join(bin, 'chown'), '#!/bin/sh\n')
    for (const name of ['getent', 'chown']) chmodSync(join(bin, name), 0o755)
  })
  afterEach(() => rmSync(home, { recursive: true }))

  const run = (keys: readonly string[] = KEYS): void => {
    execFileSync('sh', ['-c', bootScript('root', keys)], { cwd: home, env: { PATH: `${bin}:/usr/bin:/bin` } })
  }

  it('adds every key once, however often it runs', () => {
    run()
    run()
    expect(readFileSync(file(), 'utf8').trimEnd().split('\n')).to.deep.equal(KEYS)
    expect(statSync(file()).mode % 0o1000).to.equal(0o600)
  })

  it('keeps what is there, although its last line has no end', () => {
    mkdirSync(join(home, '.ssh'))
    writeFileSync(file(), 'ssh-ed25519 CCCC operator')
    run(['ssh-ed25519 AAAA one@example'])
    expect(readFileSync(file(), 'utf8')).to.equal('ssh-ed25519 CCCC operator\nssh-ed25519 AAAA one@example\n')
  })

  it('runs nothing that a key says', () => {
    run()
    expect(existsSync(join(home, 'pwned'))).to.equal(false)
  })

  it('is ASCII only and has no line that a key brought', () => {
    const script = bootScript('root', ['ssh-ed25519 AAAA 홍길동\nrm -rf /'])
    expect(script).to.match(/^[\n\x20-\x7e]+$/)
    expect(script).to.not.match(/^rm/m)
  })

  it('names its interpreter in the first line', () => {
    expect(bootScript('ubuntu', []).split('\n')[0]).to.equal('#!/bin/sh')
  })
})
