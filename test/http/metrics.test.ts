import { expect } from 'chai'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'mocha'
import { metricsListener } from '../../broker/http/metrics.ts'
import { createNodeServer } from '../../broker/http/node-server.ts'
import { createMetrics } from '../../broker/metrics.ts'

describe('/metrics', () => {
  const server = createNodeServer(metricsListener(createMetrics(), async () => undefined))
  let url: string
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}` // listening on TCP
  })
  after(() => new Promise((resolve) => server.close(resolve)))

  it('answers HEAD as GET, without a body', async () => {
    const [got, head] = [await fetch(`${url}/metrics`), await fetch(`${url}/metrics?x`, { method: 'HEAD' })]
    const text = await got.text()
    expect(text).to.include('# TYPE gpu_broker_')
    expect([head.status, await head.text()]).to.deep.equal([200, ''])
    for (const { headers } of [got, head]) expect(headers.get('content-type')).to.match(/^text\/plain/)
    expect(got.headers.get('content-length')).to.equal(String(Buffer.byteLength(text)))
    // Of itself it counts something, and so grows.
    expect(Number(head.headers.get('content-length'))).to.be.within(text.length / 2, text.length * 2)
  })

  it('is there to be read only, and nothing else is there', async () => {
    const posted = await fetch(`${url}/metrics`, { method: 'POST' })
    expect([posted.status, posted.headers.get('allow')]).to.deep.equal([405, 'GET, HEAD'])
    for (const path of ['/', '/livez', '/metrics/x']) expect((await fetch(url + path)).status).to.equal(404)
  })
})
