import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { remoteProviderDocument } from '../../../adapters/remote/openapi.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const PAGE = 'docs/remote-provider.openapi.json'
const run = promisify(execFile)

describe('the page of the remote provider’s protocol', () => {
  it('is the one that is committed: npm run openapi writes it', () => {
    const committed = JSON.parse(readFileSync(`${ROOT}/${PAGE}`, 'utf8')) as unknown
    expect(committed).to.deep.equal(JSON.parse(JSON.stringify(remoteProviderDocument())))
  })

  it('passes redocly’s recommended rules without a warning', async function () {
    this.timeout(120_000)
    const args = ['node_modules/@redocly/cli/bin/cli.js', 'lint', '--extends=recommended', PAGE]
    const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
    const { stderr } = await run(process.execPath, args, { cwd: ROOT, env })
    expect(stderr)
      .to.include('Your API description is valid')
      .and.not.match(/warning/i)
  })
})
