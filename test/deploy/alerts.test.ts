/** Each alert says what it is about, has tests of its own, and a page that says what to do. */
import { expect } from 'chai'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'mocha'
import { parse } from 'yaml'
import { ROOT } from '../run-part.ts'

interface Alert {
  readonly alert?: string
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
  readonly groups: readonly { readonly rules: readonly Alert[] }[]
}

const ALERTS = (read('deploy/prometheus/rules/*.yml') as readonly Rules[]) // promtool holds them to their form
  .flatMap(({ groups }) => groups.flatMap(({ rules }) => rules))
  .filter(({ alert }) => alert !== undefined)

const TRIED = (read('test/observability/rules/*.yml') as readonly RuleTest[]) // and these
  .flatMap(({ tests }) => tests.flatMap((test) => test.alert_rule_test))

describe('every alert', () => {
  it('is looked at', () => {
    expect(ALERTS).to.have.length.greaterThan(25)
  })

  for (const { alert = '', labels, annotations } of ALERTS) {
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
