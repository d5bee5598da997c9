import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { LookupAddress, lookup } from 'node:dns'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { createPoster } from '../../broker/outbound/post.ts'
import { assertTarget, isPublic } from '../../broker/outbound/target.ts'
import { refusalFrom } from '../support/refusal-of.ts'

/** A resolver that answers with one list after the other, and notes how often it was asked. */
function resolver(answers: readonly (readonly string[])[]) {
  let asked = 0
  const resolve = ((_name: string, _options: object, callback: (error: null, found: LookupAddress[]) => void) => {
    const found = answers[Math.min(asked, answers.length - 1)] ?? []
    asked += 1
    callback(
      null,
      found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  }) as unknown as typeof lookup // of its overloads only the one that is used here
  return { resolve, asked: () => asked }
}

const aPost = (url: string) => ({ url, headers: {}, body: '{}', signal: new AbortController().signal })

describe('what is sent to an endpoint', () => {
  it('reaches only addresses of the public internet, whatever the name resolves to', async () => {
    for (const found of [
      ['127.0.0.1'],
      ['10.0.0.1'],
      ['93.184.216.34', '10.0.0.1'],
      ['::ffff:169.254.169.254'],
      ['fd00::1'],
    ]) {
      const { resolve } = resolver([found])
      const refused = await refusalFrom(assertTarget('https://hooks.example.org/', { allowPrivate: false, resolve }))
      expect(refused.members['errors']).to.have.deep.nested.property('[0].pointer', '/url')
      const posted = await createPoster({ allowPrivate: false, resolve })(aPost('https://hooks.example.org/'))
      expect(posted.error).to.match(/not public$/)
    }
  })

  it('is not led elsewhere by a name that resolves to something else a moment later', async () => {
    const { resolve } = resolver([['93.184.216.34'], ['127.0.0.1']])
    await assertTarget('https://hooks.example.org/', { allowPrivate: false, resolve })
    const posted = await createPoster({ allowPrivate: false, resolve })(aPost('https://hooks.example.org/'))
    expect(posted).to.deep.equal({
      status: null,
      error: 'the host’s address is private, loopback, link-local or otherwise not public',
    })
  })

  it('goes to the very address that was found good: the name is asked for once', async () => {
    const server = createServer((_request, response) => response.end())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo // listening on TCP
    const { resolve, asked } = resolver([['127.0.0.1'], ['203.0.113.1']])
    const posted = await createPoster({ allowPrivate: true, resolve })(aPost(`http://hooks.example.org:${port}/`))
    expect([posted.status, asked()]).to.deep.equal([200, 1])
    server.closeAllConnections()
    server.close()
  })

  it('is given up after its deadline', async () => {
    const server = createServer(() => undefined)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo // listening on TCP
    const posted = await createPoster({ allowPrivate: true, deadlineMs: 50 })(aPost(`http://127.0.0.1:${port}/`))
    expect(posted).to.deep.equal({ status: null, error: 'no answer within 0.05 s' })
    server.closeAllConnections()
    server.close()
  })

  it('reads no more of an answer than a little', async () => {
    const server = createServer((_request, response) => {
      const more = (): void => {
        while (response.write('x'.repeat(16 * 1_024)));
        response.once('drain', more)
      }
      more()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo // listening on TCP
    const posted = await createPoster({ allowPrivate: true })(aPost(`http://127.0.0.1:${port}/`))
    expect(posted).to.deep.equal({ status: 200, error: null })
    server.closeAllConnections()
    server.close()
  })

  it('knows public addresses from others', () => {
    expect(['8.8.8.8', '2606:4700::1111', '::ffff:8.8.8.8'].map(isPublic)).to.deep.equal([true, true, true])
    const others = [
      '0.0.0.0',
      '100.64.0.1',
      '192.0.2.1',
      '198.18.0.1',
      '224.0.0.1',
      '255.255.255.255',
      '::',
      '2002:a00:1::',
      '::a00:1',
      '5f00::1',
      '4000::1',
      'ff02::1',
    ]
    expect(others.filter(isPublic)).to.deep.equal([])
  })
})
