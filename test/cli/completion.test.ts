import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { before, describe, it } from 'mocha'
import { cli } from './cli-world.ts'

describe('gpu-broker completion', () => {
  let script = ''
  before(async () => {
    script = (await cli(['completion', 'bash'])).out
  })

  /** What bash offers where the last word is being typed. */
  function offered(...words: readonly string[]): string[] {
    const typed = ['gpu-broker', ...words].map((word) => `'${word}'`).join(' ')
    const lines = [
      script,
      `COMP_WORDS=(${typed})`,
      `COMP_CWORD=${words.length}`,
      '_gpu_broker',
      'echo "${COMPREPLY[@]}"',
    ]
    return execFileSync('bash', ['-c', lines.join('\n')], { encoding: 'utf8' })
      .trim()
      .split(' ')
  }

  it('offers commands, then what each takes, past options and arguments', () => {
    expect(offered('all')).to.deep.equal(['allocations'])
    expect(offered('--url', 'http://127.0.0.1:1', 'webhooks', 'r')).to.deep.equal(['rotate-secret', 'redeliver'])
    expect(offered('allocations', 'release', 'alc_abcdefghijklmnop', '--re')).to.deep.equal(['--reason'])
    expect(offered('clusters', '--out')).to.deep.equal(['--output'])
  })

  it('is for zsh too', async () => {
    const { out } = await cli(['completion', 'zsh'])
    expect(out).to.equal(`autoload -U +X bashcompinit && bashcompinit\n${script}`)
  })

  it('refuses another shell', async () => {
    expect((await cli(['completion', 'fish'])).status).to.equal(2)
  })

  it('offers nothing that the READMEs do not tell of', () => {
    const paths = (/local paths='\|\|(.*)\|'/.exec(script)?.[1] ?? '').split('|').filter((path) => path !== 'help')
    expect(paths).to.have.length.above(70)
    for (const page of ['README.md', 'README.ko.md']) {
      const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8')
      const rows = text.split('\n').filter((line) => line.startsWith('| `'))
      const isTold = (path: string): boolean => {
        const [first = '', second = ''] = path.split(' ')
        return rows.some(
          (row) => row.includes(`\`${first}`) && new RegExp(`\\b${second}\\b`).test(row.split(' | ')[0] ?? ''),
        )
      }
      // `usage show` is `usage`: it is the one that nobody has to write out.
      expect(
        paths.filter((path) => !isTold(path) && path !== 'usage show'),
        page,
      ).to.deep.equal([])
    }
  })
})
