/** Each alert says what it is about, has tests of its own, and a page that says what to do. */
import { expect } from 'chai'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'mocha'
import { parse } from 'yaml'
import { DASHBOARDS } from '../../deploy/grafana/source/all.ts'
import { pageFile, PAGES, shellBlocks } from '../observability/runbooks.ts'
import { ROOT } from '../run-part.ts'

interface Rule {
  readonly alert?: string
  readonly expr: string
  readonly labels?: Readonly<Record<string, string>>
}

interface Alert extends Rule {
  readonly alert: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

interface RuleTest {
  readonly tests: readonly {
    readonly alert_rule_test: readonly {
      readonly alertname: string
      readonly exp_alerts: readonly { readonly exp_labels: Readonly<Record<string, string>> }[]
    }[]
  }[]
}

const read = (pattern: string): readonly unknown[] =>
  globSync(pattern, { cwd: ROOT }).map((file) => parse(readFileSync(join(ROOT, file), 'utf8')) as unknown)

interface Rules {
  readonly groups: readonly { readonly rules: readonly Rule[] }[]
}

const RULES = (read('deploy/prometheus/rules/*.yml') as readonly Rules[]) // promtool holds them to their form
  .flatMap(({ groups }) => groups.flatMap(({ rules }) => rules))

const ALERTS = RULES.filter((rule): rule is Alert => rule.alert !== undefined)

const TRIED = (read('test/observability/rules/*.yml') as readonly RuleTest[]) // and these
  .flatMap(({ tests }) => tests.flatMap((test) => test.alert_rule_test))

describe('every alert', () => {
  it('is looked at', () => {
    expect(ALERTS).to.have.length.greaterThan(25)
  })

  for (const { alert, labels, annotations } of ALERTS) {
    const severity = labels['severity'] ?? ''
    const tried = TRIED.filter(({ alertname }) => alertname === alert)

    it(`${alert} (${severity}) pages or opens a ticket, with a summary and a description`, () => {
      expect(alert).to.match(/^GpuBroker([A-Z][a-z]+)+$/)
      expect(severity).to.be.oneOf(['page', 'ticket'])
      expect(annotations['summary']).to.match(/\S/)
      expect(annotations['description']).to.match(/\.$/)
    })

    it(`${alert} (${severity}) has a test that fires it and one that keeps it quiet`, () => {
      const fires = tried.some((one) => one.exp_alerts.some(({ exp_labels: seen }) => seen['severity'] === severity))
      const keepsQuiet = tried.some(
        (one) => !one.exp_alerts.some(({ exp_labels: seen }) => seen['severity'] === severity),
      )
      expect({ fires, keepsQuiet }).to.deep.equal({ fires: true, keepsQuiet: true })
    })
  }
})

const slugOf = (alert: string): string =>
  alert
    .replace('GpuBroker', '')
    .replaceAll(/(?<!^)[A-Z]/g, '-$&')
    .toLowerCase()

describe('service levels', () => {
  it('are recorded under the names that their page has, with its objectives in the alerts', () => {
    const page = readFileSync(join(ROOT, 'docs', 'slo.md'), 'utf8')
    const promised = [...page.matchAll(/^\| `([a-z-]+)` \| [^|]+ \| ([\d.]+) % \|/gm)].map(
      ([, slo = '', percent = '']) => [slo, Math.round((100 - Number(percent)) * 10) / 1_000] as const,
    )
    const recorded = new Set(RULES.flatMap(({ labels }) => labels?.['slo'] ?? []))
    expect([...recorded]).to.have.members(promised.map(([slo]) => slo))
    for (const [slo, budget] of promised) {
      const alerts = ALERTS.filter(({ expr }) => expr.includes(`slo="${slo}"`))
      expect(alerts, slo).to.not.deep.equal([])
      for (const { expr } of alerts) {
        const limits = [...expr.matchAll(/> (?:[\d.]+ \* )?(0\.\d+)/g)].map(([, share]) => Number(share))
        expect(new Set(limits), slo).to.deep.equal(new Set([budget]))
      }
    }
  })
})

describe('runbooks', () => {
  const slugs = [...new Set(ALERTS.map(({ alert }) => slugOf(alert)))].toSorted()

  it('are there for every alert, in English and Korean, and for nothing else', () => {
    expect(PAGES.en).to.deep.equal(slugs)
    expect(PAGES.ko).to.deep.equal(slugs)
  })

  it('are what the alert links to', () => {
    for (const { alert, annotations } of ALERTS) {
      expect(annotations['runbook_url']).to.equal(`https://docs.gpu-broker.example/runbooks/${slugOf(alert)}.md`)
    }
  })

  it('are what panels of dashboards link to', () => {
    const linked = DASHBOARDS.flatMap(({ rows }) =>
      rows.flatMap(({ panels }) => panels.flatMap((one) => one.runbook ?? [])),
    )
    expect(linked.filter((slug) => !slugs.includes(slug))).to.deep.equal([])
  })

  for (const slug of slugs) {
    it(`${slug} says the same in both languages: as many sections, and the very same commands`, () => {
      const [en, ko] = [pageFile(slug, 'en'), pageFile(slug, 'ko')]
      expect(shellBlocks(en).length).to.be.greaterThan(0)
      expect(shellBlocks(ko)).to.deep.equal(shellBlocks(en))
      for (const page of [en, ko]) expect(page.match(/^## /gm)).to.have.length(3)
    })
  }

  it('are all listed on the first page of either language', () => {
    for (const [name, end] of [
      ['README.md', '.md'],
      ['README.ko.md', '.ko.md'],
    ] as const) {
      const text = readFileSync(join(ROOT, 'docs', 'runbooks', name), 'utf8')
      expect(slugs.filter((slug) => !text.includes(`(${slug}${end})`))).to.deep.equal([])
    }
  })
})
