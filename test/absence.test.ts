/**
 * What is absent where: clocks, randomness, waiting, environments, names of providers, status codes. As with the imports,
 * a rule's name is the sentence that a developer reads when a change breaks it.
 */
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { type Source, parseSource, readSources, withoutStrings } from './support/sources.ts'

const SOURCES = readSources(['shared', 'adapters', 'broker', 'deploy'])

interface Absence {
  readonly says: string
  readonly files: RegExp
  readonly except?: RegExp
  readonly pattern: RegExp
  /** Whether what is inside strings counts; default false. */
  readonly inStrings?: boolean
}

const ABSENT: readonly Absence[] = [
  {
    says: 'imports name what they import, so that the rules about them see all: nothing but the adapter under test is loaded by a name made at run time',
    files: /./,
    except: /^broker\/conformance\/load-adapter\.ts$/,
    pattern: /\b(?:import|require)\s*\(\s*(?!'')/,
  },
  {
    says: 'the core has no clock: `now` is an argument',
    files: /^broker\/core\//,
    pattern: /\bDate\s*\.\s*now\b|\bnew\s+Date\b|\bDate\s*\(|\bperformance\b/,
  },
  {
    says: 'the core has no randomness: ids are arguments',
    files: /^broker\/core\//,
    pattern: /\bMath\s*\.\s*random\b|\bcrypto\b|\brandomUUID\b/,
  },
  {
    says: 'the core never waits',
    files: /^broker\/core\//,
    pattern: /\basync\b|\bawait\b|\bPromise\b|\bset(?:Timeout|Interval|Immediate)\b|\bqueueMicrotask\b/,
  },
  {
    says: 'the core has no I/O and no environment',
    files: /^broker\/core\//,
    pattern: /\bfetch\s*\(|\bprocess\s*\.|\bconsole\s*\.|\bglobalThis\b/,
  },
  {
    says: 'the core uses no floating-point function that differs between engines: a replay must agree bit for bit',
    files: /^broker\/core\//,
    pattern: /\bMath\s*\.\s*(?:exp|expm1|pow|log|log2|log10|log1p|sin|cos|tan|cbrt|hypot)\b|\*\*/,
  },
  {
    says: 'the core decides the same in every language and time zone',
    files: /^broker\/core\//,
    pattern: /\btoLocale\w*\b|\bIntl\b|\blocaleCompare\b/,
  },
  {
    says: 'the vocabulary has no clock and no randomness: it turns instants into texts, nothing more',
    files: /^shared\//,
    pattern: /\bDate\s*\.\s*now\b|\bnew\s+Date\s*\(\s*\)|\bMath\s*\.\s*random\b|\bperformance\b/,
  },
  {
    says: 'the vocabulary and the use cases read no environment and set no timer',
    files: /^(?:shared|broker\/app)\//,
    pattern: /\bprocess\s*\.|\bset(?:Timeout|Interval)\b|\bfetch\s*\(/,
  },
  {
    says: 'use cases take `now` from whoever calls them',
    files: /^broker\/app\//,
    pattern: /\bDate\s*\.\s*now\b|\bnew\s+Date\s*\(\s*\)/,
  },
  {
    says: 'the environment is read in broker/config.ts, by the command line’s own page of it, and by what deploys',
    files: /^(?:shared|adapters|broker)\//,
    except: /^broker\/(?:config|cli\/environment)\.ts$/,
    pattern: /\bprocess\s*\.\s*env\b|\benv\b[^}\n]*\}\s*=\s*process\b/,
  },
  {
    says: 'the broker knows no provider by name; what examples of the API need stands in broker/http/examples.ts',
    files: /^broker\//,
    except: /^broker\/http\/examples\.ts$/,
    pattern: /\b(?:naver|nhn|kakao)/i,
    inStrings: true,
  },
  {
    says: 'only broker/http/problem.ts knows which status a refusal has',
    files: /^broker\//,
    except: /^broker\/(?:http\/problem\.ts|client\/)/,
    pattern: /\b(?:status|statusCode|writeHead|sendStatus)\b\W{1,6}[45]\d\d\b/,
  },
  {
    says: 'no status code leaves the HTTP layer: use cases, workers and the store speak of refusals',
    files: /^broker\/(?:app|core|store|workers|providers)\//,
    pattern: /\b(?:status|statusCode)\b\W{1,6}[1-5]\d\d\b/,
  },
]

function presences(rule: Absence, sources: readonly Source[]): readonly string[] {
  return sources
    .filter(({ file }) => rule.files.test(file) && rule.except?.test(file) !== true)
    .flatMap(({ file, code }) => {
      const text = rule.inStrings === true ? code : withoutStrings(code)
      const lines = text.split('\n').filter((line) => rule.pattern.test(line))
      return lines.map((line) => `${file}: ${line.trim()}`)
    })
}

describe('what is absent', () => {
  for (const rule of ABSENT) {
    it(rule.says, () => {
      expect(SOURCES.filter(({ file }) => rule.files.test(file))).to.not.deep.equal([])
      expect(presences(rule, SOURCES)).to.deep.equal([])
    })
  }

  it('is noticed outside of comments and strings, also inside a template', () => {
    const source = (code: string) => parseSource('broker/core/x.ts', code)
    const found = (code: string) => ABSENT.flatMap((rule) => presences(rule, [source(code)]))
    expect(found("// Date.now()\nconst at = 'Date.now()'")).to.deep.equal([])
    expect(found('const at = Date.now()')).to.deep.equal(['broker/core/x.ts: const at = Date.now()'])
    expect(found('const text = `${Date.now()}`')).to.have.length(1)
    expect(found("if (provider === 'nhn') await 1")).to.have.length(2)
  })
})
