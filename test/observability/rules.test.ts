/** What Prometheus' and Alertmanager's own tools say of the files in `deploy/prometheus`. */
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { join } from 'node:path'
import { PROMETHEUS_FOLDER, ruleFiles, ruleTestFiles, runTool } from './tools.ts'

describe('the rules of Prometheus', function () {
  this.timeout(300_000)

  it('are read with the configuration that names them', async () => {
    const said = await runTool('promtool', ['check', 'config', join(PROMETHEUS_FOLDER, 'prometheus.yml')])
    expect(said).to.contain(`SUCCESS: ${ruleFiles().length} rule files found`)
  })

  it('break none of the conventions that promtool knows', async () => {
    await runTool('promtool', ['check', 'rules', '--lint=all', '--lint-fatal', ...ruleFiles()])
  })

  for (const file of ruleTestFiles()) {
    it(`fire, and keep quiet, as ${file.split('/').at(-1)} says`, async () => {
      await runTool('promtool', ['test', 'rules', file])
    })
  }

  it('reach the receivers of the example configuration of Alertmanager', async () => {
    const file = join(PROMETHEUS_FOLDER, 'alertmanager.yml')
    await runTool('amtool', ['check-config', file])
    const receiverOf = (severity: string): Promise<string> =>
      runTool('amtool', ['config', 'routes', 'test', `--config.file=${file}`, `severity=${severity}`])
    expect(await receiverOf('page')).to.match(/^on-call\n/)
    expect(await receiverOf('ticket')).to.match(/^tickets\n/)
  })
})
