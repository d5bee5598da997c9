import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { portsTaken } from '../../deploy/start-ports.ts'
import { startSettings } from '../../deploy/start-settings.ts'

describe('what npm start runs where', () => {
  it('is all on loopback, at the usual ports', () => {
    const settings = startSettings({})
    expect(settings).to.deep.include({
      brokerUrl: 'http://127.0.0.1:8080',
      metricsUrl: 'http://127.0.0.1:9464/metrics',
      sandboxPort: 8090,
      brokerLog: '.data/broker.log',
      sandboxLog: '.sandbox/sandbox.log',
    })
    expect(settings.ports.map(({ port }) => port)).to.deep.equal([8080, 9464, 8090, 8091, 8092, 8093])
  })

  it('is what the environment says', () => {
    const given = {
      PORT: '1',
      METRICS_PORT: '2',
      SANDBOX_PORT: '3',
      DATA_DIR: '/d',
      SANDBOX_DIR: '/s',
      HOST: '0.0.0.0',
    }
    const settings = startSettings(given)
    expect(settings).to.deep.include({
      brokerUrl: 'http://127.0.0.1:1',
      brokerLog: '/d/broker.log',
      sandboxLog: '/s/sandbox.log',
    })
    expect(settings.ports.map(({ port }) => port)).to.deep.equal([1, 2, 3, 4, 5, 6])
    expect(settings.env).to.include(given)
  })

  it('never reaches real operators, whatever the environment has for another broker', () => {
    const { env } = startSettings({ PROVIDERS: 'real.json', OIDC_ISSUER: 'https://real.example', PATH: '/bin' })
    expect(env).to.include({ PATH: '/bin', SANDBOX_PORT: '8090' })
    expect(env).not.to.have.any.keys('PROVIDERS', 'OIDC_ISSUER')
  })

  it('is refused in one line for a bad value', () => {
    expect(() => startSettings({ PORT: 'eighty' }))
      .to.throw(/^PORT: /)
      .with.property('name', 'ConfigError')
  })
})

describe('ports that are taken', () => {
  it('are told one by one, with what would listen there and how to move it', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo // listening on TCP
    const wanted = { port, host: '127.0.0.1', what: 'the broker’s API', variable: 'PORT' }
    expect(await portsTaken([{ ...wanted, port: 0 }, wanted], 0)).to.deep.equal([
      `127.0.0.1:${port} is taken, where the broker’s API would listen: stop what listens there now, or set PORT.`,
    ])
    // What stops a moment later is waited for.
    const free = portsTaken([wanted], 5_000)
    server.close()
    expect(await free).to.deep.equal([])
  })
})
